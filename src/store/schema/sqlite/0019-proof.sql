-- The book, version 19: keys that were proven to be compromised.

-- Insert-only but for what came of it. One row for each key: whoever proves it again is told so, and nothing is done twice.
CREATE TABLE key_compromise (
  spki_sha256 BLOB NOT NULL PRIMARY KEY,
  proof TEXT NOT NULL,                     -- kind of incident/proof.h, or "revoke-cert" (ACME, by the key)
  via TEXT NOT NULL,                       -- "acme", "form", "mail", "phone", "operator admin"
  evidence BLOB NOT NULL,                  -- as it may be kept: of a private key what stands in its place
  evidence_sha256 BLOB NOT NULL,           -- of the bytes that came
  problem INTEGER NOT NULL,                -- report that it came with; 0: none
  filer TEXT NOT NULL,                     -- mail address that is told what became of it; '': none
  proven_us INTEGER NOT NULL,
  certificates INTEGER NOT NULL,           -- that were live then, among the newest 1,000
  told INTEGER NOT NULL,                   -- 0: notices are not all written yet
  told_issuer INTEGER NOT NULL,            -- the last whose subscriber has been told
  told_serial BLOB NOT NULL,
  revoked_us INTEGER NOT NULL              -- when the last of them was recorded as revoked; 0: not yet
) STRICT, WITHOUT ROWID;
CREATE INDEX key_compromise_open ON key_compromise(proven_us) WHERE told = 0 OR revoked_us = 0;
CREATE INDEX key_compromise_time ON key_compromise(proven_us);
CREATE INDEX key_compromise_problem ON key_compromise(problem) WHERE problem <> 0;

-- Nonces of ours that a key has signed. They are made without a row (incident/proof_book.h): only one that was good for
-- something is remembered, until it has expired.
CREATE TABLE proof_nonce_used (
  nonce BLOB NOT NULL PRIMARY KEY,         -- SHA-256 of it
  expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_nonce_used_expires ON proof_nonce_used(expires_us);
