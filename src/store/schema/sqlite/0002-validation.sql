-- The book, version 2: what validation and ACME beyond RFC 8555 keep.

-- Orders that are processing without an intent: they wait for CAA to be asked again, or for a person.
CREATE TABLE order_wait (
  order_id INTEGER NOT NULL PRIMARY KEY,
  subject_key BLOB NOT NULL,               -- packed PublicKey of the request
  since_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,
  review TEXT NOT NULL,
  rule TEXT NOT NULL,
  released_by TEXT
) STRICT;
CREATE INDEX order_wait_until ON order_wait(until_us);
CREATE INDEX order_wait_waiting ON order_wait(order_id) WHERE review = 'waiting';
CREATE INDEX order_wait_released ON order_wait(order_id) WHERE review = 'released';
CREATE INDEX order_wait_held ON order_wait(order_id) WHERE review = 'held';

-- CAA asked again before issuance: one row for each name that needs it.
CREATE TABLE caa_check (
  order_id INTEGER NOT NULL,
  name TEXT NOT NULL,                      -- as the order has it, "*." included
  authorization_id INTEGER NOT NULL,       -- that proves it; of the name itself, or of one above it
  proven_by TEXT NOT NULL,                 -- method: validationmethods is held against it
  nonce BLOB NOT NULL,                     -- drawn for it; the statement must repeat it
  status TEXT NOT NULL,                    -- asked, and what came of it
  asked_us INTEGER NOT NULL,
  checked_us INTEGER,
  statement TEXT,
  PRIMARY KEY (order_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX caa_check_asked ON caa_check(asked_us) WHERE status = 'asked';
CREATE INDEX caa_check_authorization ON caa_check(authorization_id) WHERE status = 'asked';

-- Renewal windows that stand instead of the rule's, certificate by certificate: an incident's, or one set by hand.
CREATE TABLE renewal_window (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  url TEXT NOT NULL,                       -- explanationURL; empty: none
  set_us INTEGER NOT NULL,
  PRIMARY KEY (issuer, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX renewal_window_set ON renewal_window(set_us);
-- Which order replaces a certificate: asked by the identifier that the order gave.
CREATE INDEX ca_order_replaces ON ca_order(replaces) WHERE replaces IS NOT NULL;
CREATE INDEX revocation_recorded ON revocation(recorded_us);

-- Keys that we gave out, to bind ACME accounts to somebody we know (RFC 8555 7.3.4), with what they are good for.
CREATE TABLE eab_key (
  kid TEXT NOT NULL PRIMARY KEY,
  secret BLOB NOT NULL,                    -- of the MAC, sealed: IV, ciphertext, tag; cleared when the key is revoked
  note TEXT NOT NULL,
  profiles TEXT NOT NULL,                  -- " tls-server tls-server-short "; empty: any
  suffixes TEXT NOT NULL,                  -- " example.com example.org "; empty: any name, and addresses
  accounts_most INTEGER NOT NULL,          -- 0: no limit
  orders_most INTEGER NOT NULL,            -- in orders_period_s; 0: no limit
  orders_period_s INTEGER NOT NULL,
  status TEXT NOT NULL,                    -- valid, revoked
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_us INTEGER NOT NULL,             -- for binding; 0: never
  accounts INTEGER NOT NULL,               -- bound so far
  orders INTEGER NOT NULL,                 -- since period_us
  period_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE account_eab (                 -- insert-only
  account INTEGER NOT NULL PRIMARY KEY,
  kid TEXT NOT NULL,
  bound_us INTEGER NOT NULL,
  binding TEXT NOT NULL                    -- as it came: the account object shows it
) STRICT;

-- Names of an account whose validations only fail: after enough of them they wait until the account says go on.
CREATE TABLE name_pause (
  account INTEGER NOT NULL,
  identifier_type TEXT NOT NULL,
  identifier TEXT NOT NULL,
  failures INTEGER NOT NULL,               -- in a row
  last_us INTEGER NOT NULL,
  paused_us INTEGER,
  PRIMARY KEY (account, identifier_type, identifier)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_pause_paused ON name_pause(account, identifier, identifier_type) WHERE paused_us IS NOT NULL;

-- One row while any name of the account is paused. Whoever has the token may look and resume.
CREATE TABLE account_pause (
  account INTEGER NOT NULL PRIMARY KEY,
  token TEXT NOT NULL,
  since_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_pause_token ON account_pause(token);

-- Names that a domain above them proves (RFC 9444): its authorization is good for all below it, theirs follow it.
ALTER TABLE authorization ADD COLUMN subdomains INTEGER NOT NULL DEFAULT 0;
ALTER TABLE authorization ADD COLUMN ancestor INTEGER;  -- NULL: its own challenges prove it
CREATE INDEX authorization_subdomains ON authorization(account, identifier, status, expires_us) WHERE subdomains = 1;
CREATE INDEX authorization_ancestor ON authorization(ancestor, id) WHERE ancestor IS NOT NULL;
-- The authorization whose check this is, where a name has that of the domain above it; NULL: the row's own.
ALTER TABLE evidence ADD COLUMN proven_by INTEGER;
