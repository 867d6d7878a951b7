-- The book, version 1. Portable types: INTEGER, TEXT, BLOB. Times are microseconds since 1970 (columns named _us).
-- STRICT is SQLite's; the PostgreSQL folder says the same with its own words. Insert-only tables say so.

CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Who signs. id is small and interned in every table below.
CREATE TABLE issuer (
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,               -- "root", "tls", "smime", "workload", "document"
  parent INTEGER REFERENCES issuer(id),
  subject_sha256 BLOB NOT NULL,            -- of the DER Name, as leaf certificates carry it
  spki_sha256 BLOB NOT NULL,
  certificate BLOB NOT NULL,               -- DER
  not_before_us INTEGER NOT NULL,
  not_after_us INTEGER NOT NULL,
  offline INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE profile (                     -- interned names; the definition is the root-owned file
  id INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  sha256 BLOB NOT NULL
) STRICT;

-- ACME accounts. The key is what the notary verifies with.
CREATE TABLE account (
  id INTEGER NOT NULL PRIMARY KEY,         -- random 63 bits with a time prefix
  thumbprint BLOB NOT NULL,                -- RFC 7638, SHA-256
  spki BLOB NOT NULL,
  alg TEXT NOT NULL,
  status TEXT NOT NULL,                    -- RFC 8555 7.1.6: valid, deactivated, revoked
  contacts TEXT NOT NULL,                  -- JSON array
  terms_agreed_us INTEGER,
  created_us INTEGER NOT NULL,
  address TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_thumbprint ON account(thumbprint);

CREATE TABLE ca_order (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account(id),
  status TEXT NOT NULL,                    -- pending, ready, processing, valid, invalid
  profile TEXT NOT NULL,
  identifiers TEXT NOT NULL,               -- JSON array [["dns","a.example"],…], sorted
  name_set_sha256 BLOB NOT NULL,
  not_before_us INTEGER,
  not_after_us INTEGER,
  replaces TEXT,
  error TEXT,                              -- problem document
  created_us INTEGER NOT NULL,
  expires_us INTEGER NOT NULL,
  intent INTEGER,
  certificate_issuer INTEGER,
  certificate_serial BLOB
) STRICT;
CREATE INDEX ca_order_account ON ca_order(account, id);
-- OR, not IN: an IN list in a partial index costs every write of the table a temporary one.
CREATE INDEX ca_order_due ON ca_order(expires_us)
  WHERE status = 'pending' OR status = 'ready' OR status = 'processing';
CREATE INDEX ca_order_processing ON ca_order(id) WHERE status = 'processing';

CREATE TABLE authorization (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL REFERENCES account(id),
  identifier_type TEXT NOT NULL,
  identifier TEXT NOT NULL,                -- without "*."
  wildcard INTEGER NOT NULL,
  status TEXT NOT NULL,                    -- pending, valid, invalid, deactivated, expired, revoked
  created_us INTEGER NOT NULL,
  expires_us INTEGER NOT NULL,
  validated_us INTEGER
) STRICT;
CREATE INDEX authorization_reuse ON authorization(account, identifier, status, expires_us);
CREATE INDEX authorization_pending ON authorization(account) WHERE status = 'pending';

CREATE TABLE order_authorization (
  order_id INTEGER NOT NULL,
  authorization_id INTEGER NOT NULL,
  PRIMARY KEY (order_id, authorization_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX order_authorization_back ON order_authorization(authorization_id, order_id);

CREATE TABLE challenge (
  authorization_id INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,                    -- pending, processing, valid, invalid
  token TEXT NOT NULL,
  nonce BLOB,                              -- drawn for the running validation; statements must repeat it
  started_us INTEGER,
  validated_us INTEGER,
  error TEXT,
  PRIMARY KEY (authorization_id, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_running ON challenge(started_us) WHERE status = 'processing';

-- What validations have in common, interned: one row for each distinct combination.
CREATE TABLE dimension (
  id INTEGER NOT NULL PRIMARY KEY,
  method TEXT NOT NULL,
  rule_set TEXT NOT NULL,
  build TEXT NOT NULL,
  resolver TEXT NOT NULL,
  perspectives TEXT NOT NULL,
  UNIQUE (method, rule_set, build, resolver, perspectives)
) STRICT;

-- Insert-only. One row for each authorization and check.
CREATE TABLE evidence (
  authorization_id INTEGER NOT NULL,
  checked_us INTEGER NOT NULL,
  dimension INTEGER NOT NULL REFERENCES dimension(id),
  ok INTEGER NOT NULL,
  identifier_type TEXT NOT NULL,
  identifier TEXT NOT NULL,
  dnssec TEXT NOT NULL,
  caa TEXT NOT NULL DEFAULT '',
  caa_us INTEGER,
  agreeing INTEGER NOT NULL DEFAULT 0,     -- bitmaps over the perspective set
  dissenting INTEGER NOT NULL DEFAULT 0,
  statement TEXT NOT NULL,                 -- JSON of everything seen (issue 4: offset and hash in a segment)
  PRIMARY KEY (authorization_id, checked_us)
) STRICT, WITHOUT ROWID;

-- Insert-only: what is meant to be signed, before it is. kind: "certificate" now; other kinds of credential follow.
CREATE TABLE intent (
  id INTEGER NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  requester TEXT NOT NULL,                 -- "acme", "service"
  order_id INTEGER,
  account INTEGER,
  issuer INTEGER NOT NULL REFERENCES issuer(id),
  profile INTEGER NOT NULL REFERENCES profile(id),
  serial BLOB NOT NULL,
  tbs BLOB NOT NULL,
  request BLOB NOT NULL,                   -- packed SignRequest evidence and key, to derive the effect again
  created_us INTEGER NOT NULL,
  UNIQUE (issuer, serial)
) STRICT;
-- Open intents: one row while no outcome is committed.
CREATE TABLE intent_open (intent INTEGER NOT NULL PRIMARY KEY) STRICT;
-- Insert-only: how an intent ended.
CREATE TABLE intent_end (
  intent INTEGER NOT NULL PRIMARY KEY,
  outcome TEXT NOT NULL,                   -- "signed", "refused"
  detail TEXT NOT NULL,
  findings TEXT NOT NULL,                  -- JSON
  ended_us INTEGER NOT NULL
) STRICT;

-- Credentials, keyed (issuer, serial, copy). Insert-only. X.509 certificates are the first kind.
CREATE TABLE certificate (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,                   -- 0; more only for duplicates that an import brings
  kind TEXT NOT NULL,                      -- "x509"; later "jwt-svid", "wit-svid", "capability", …
  profile INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  spki_sha256 BLOB NOT NULL,
  key_type INTEGER NOT NULL,
  key_bits INTEGER NOT NULL,
  not_before_us INTEGER NOT NULL,
  not_after_us INTEGER NOT NULL,
  issued_us INTEGER NOT NULL,
  account INTEGER NOT NULL,                -- 0: none
  order_id INTEGER NOT NULL,               -- 0: none
  name_set_sha256 BLOB NOT NULL,
  name_count INTEGER NOT NULL,
  rule_set TEXT NOT NULL,
  build TEXT NOT NULL,
  delivered INTEGER NOT NULL,              -- 0: signed (replayed from the journal), the order had not waited
  worst_method TEXT NOT NULL,
  worst_dimension INTEGER NOT NULL,
  oldest_validation_us INTEGER NOT NULL,
  oldest_caa_us INTEGER NOT NULL,
  least_quorum INTEGER NOT NULL,
  shard INTEGER NOT NULL,                  -- of the CRL; in the CDP; 0: complete CRL
  sequence INTEGER NOT NULL,               -- of the signer's journal
  PRIMARY KEY (issuer, serial, copy)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_issued ON certificate(issued_us);
CREATE INDEX certificate_expiry ON certificate(not_after_us);
CREATE INDEX certificate_account ON certificate(account, issued_us);
CREATE INDEX certificate_spki ON certificate(spki_sha256);
CREATE INDEX certificate_sha256 ON certificate(sha256);
CREATE INDEX certificate_name_set ON certificate(name_set_sha256, issued_us);

-- Insert-only.
CREATE TABLE certificate_der (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,
  der BLOB NOT NULL,
  UNIQUE (issuer, serial, copy)
) STRICT;

-- Insert-only. name: labels reversed ("com.example.www"), so that a suffix is a range.
CREATE TABLE certificate_name (
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,
  authorization_id INTEGER NOT NULL,
  PRIMARY KEY (name, type, issuer, serial, copy)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_name_back ON certificate_name(issuer, serial, copy);

-- Clustered so that a CRL shard is one range read.
CREATE TABLE revocation (
  issuer INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  serial BLOB NOT NULL,
  reason INTEGER NOT NULL,                 -- CRLReason
  revoked_us INTEGER NOT NULL,             -- revocationDate
  recorded_us INTEGER NOT NULL,
  not_after_us INTEGER NOT NULL,           -- of the certificate: how long the entry stays
  by_whom TEXT NOT NULL,                   -- "account 123", "certificate-key", "operator admin"
  sequence INTEGER NOT NULL,               -- of the signer's journal
  PRIMARY KEY (issuer, shard, serial)
) STRICT, WITHOUT ROWID;

-- A revocation that was decided and not yet journaled by the signer: asked again until it is.
CREATE TABLE revocation_open (
  id INTEGER NOT NULL PRIMARY KEY,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  reason INTEGER NOT NULL,
  revoked_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL,
  jws BLOB,
  created_us INTEGER NOT NULL,
  UNIQUE (issuer, serial)
) STRICT;

-- Insert-only: every CRL ever signed; bytes here before the file is renamed.
CREATE TABLE crl (
  issuer INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  number BLOB NOT NULL,                    -- big-endian, 8 bytes
  this_update_us INTEGER NOT NULL,
  next_update_us INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  der BLOB,                                -- of the newest few; NULL later
  PRIMARY KEY (issuer, shard, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE replacement (                 -- insert-only
  old_issuer INTEGER NOT NULL,
  old_serial BLOB NOT NULL,
  new_issuer INTEGER NOT NULL,
  new_serial BLOB NOT NULL,
  how TEXT NOT NULL,
  seen_us INTEGER NOT NULL,
  PRIMARY KEY (old_issuer, old_serial, new_issuer, new_serial, how)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_block (
  spki_sha256 BLOB NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL,
  source TEXT NOT NULL,
  blocked_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE halt (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,                      -- all, profile, issuer, account, name-suffix
  value TEXT NOT NULL,
  reason TEXT NOT NULL,
  operator TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  lifted_us INTEGER,
  lifted_plan TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX halt_live ON halt(id) WHERE lifted_us IS NULL;

-- Insert-only, chained: hash = SHA-256(previous hash, canonical bytes of the row).
CREATE TABLE event (
  chain TEXT NOT NULL,                     -- "registrar-HOST"
  sequence INTEGER NOT NULL,
  time_us INTEGER NOT NULL,
  kind TEXT NOT NULL,                      -- "certificate.issued", "halt.added", …
  subject TEXT NOT NULL,
  body TEXT NOT NULL,                      -- JSON
  attachment BLOB,                         -- raw JWS and the like; its hash is in the row's hash
  hash BLOB NOT NULL,
  PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_subject ON event(subject, time_us);
CREATE INDEX event_kind ON event(kind, time_us);
CREATE INDEX event_time ON event(time_us);

CREATE TABLE knot (                        -- insert-only
  time_us INTEGER NOT NULL,
  chain TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  head BLOB NOT NULL,
  journal_sequence INTEGER NOT NULL,
  journal_head BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator (
  name TEXT NOT NULL PRIMARY KEY,
  roles TEXT NOT NULL,                     -- JSON array of viewer, operator, approver, auditor
  spki BLOB NOT NULL,
  thumbprint BLOB NOT NULL,
  alg TEXT NOT NULL,
  status TEXT NOT NULL,                    -- valid, removed
  added_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
  id TEXT NOT NULL PRIMARY KEY,
  action TEXT NOT NULL,
  scope_sha256 BLOB NOT NULL,
  count INTEGER NOT NULL,
  parameters TEXT NOT NULL,                -- canonical JSON
  proposer TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  expires_us INTEGER NOT NULL,
  status TEXT NOT NULL,                    -- proposed, approved, done, expired
  needed INTEGER NOT NULL,                 -- approvals
  result TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (                    -- insert-only
  plan TEXT NOT NULL,
  operator TEXT NOT NULL,
  signature BLOB NOT NULL,
  signed_us INTEGER NOT NULL,
  PRIMARY KEY (plan, operator)
) STRICT, WITHOUT ROWID;

-- How far the signer's journal is in the book; one row for each signer.
CREATE TABLE journal (
  signer TEXT NOT NULL PRIMARY KEY,
  acknowledged INTEGER NOT NULL,
  head BLOB
) STRICT, WITHOUT ROWID;

-- Nonce windows survive a restart: counters below `floor` of an epoch are spent.
CREATE TABLE nonce_epoch (
  epoch BLOB NOT NULL PRIMARY KEY,
  started_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Waits longer than a second are rows with a due time.
CREATE TABLE due (
  id INTEGER NOT NULL PRIMARY KEY,
  due_us INTEGER NOT NULL,
  what TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;
CREATE INDEX due_us ON due(due_us);
