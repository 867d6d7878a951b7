-- The book, version 19: keys that were proven to be compromised.

-- One row for each key, insert-only but for how far it is: whoever proves it again is told so, and nothing is done twice.
CREATE TABLE key_compromise (
  spki_sha256 BLOB NOT NULL PRIMARY KEY,
  proof TEXT NOT NULL,                     -- kind of incident/proof.h, or "revoke-cert" (ACME, signed by the key)
  via TEXT NOT NULL,                       -- "acme", "form", "mail", "phone", "operator admin"
  evidence_sha256 BLOB NOT NULL,           -- of the bytes that came; the event has what of them may be kept
  problem INTEGER NOT NULL,                -- report that it came with; 0: none
  filer TEXT NOT NULL,                     -- mail address that is told what became of it; '': none
  received_us INTEGER NOT NULL,            -- when the clock began
  proven_us INTEGER NOT NULL,
  certificates INTEGER NOT NULL,           -- that were live then, among the newest 1,000
  revoked_us INTEGER NOT NULL,             -- when none of them was left; 0: not yet
  step INTEGER NOT NULL,                   -- of ca/compromise.h: revoking, late, counting, telling, done
  at_issuer INTEGER NOT NULL,              -- counted up to here
  at_serial BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX key_compromise_open ON key_compromise(proven_us) WHERE step < 4;
CREATE INDEX key_compromise_problem ON key_compromise(problem) WHERE problem <> 0;

-- Whose certificates they were, and whether they have been told.
CREATE TABLE key_compromise_account (
  spki_sha256 BLOB NOT NULL,
  account INTEGER NOT NULL,
  certificates INTEGER NOT NULL,
  told INTEGER NOT NULL,                   -- 1: its notices are written
  PRIMARY KEY (spki_sha256, account)
) STRICT, WITHOUT ROWID;

-- Nonces of ours that a key has signed. They are made without a row (incident/proof_book.h): only one that was good for
-- something is remembered, until it has expired.
CREATE TABLE proof_nonce_used (
  nonce_sha256 BLOB NOT NULL PRIMARY KEY,
  expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_nonce_used_expires ON proof_nonce_used(expires_us);
