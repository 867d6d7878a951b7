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
CREATE INDEX order_wait_released ON order_wait(order_id) WHERE review = 'released';

-- CAA asked again before issuance: one row for each name that needs it.
CREATE TABLE caa_check (
  order_id INTEGER NOT NULL,
  authorization_id INTEGER NOT NULL,
  nonce BLOB NOT NULL,                     -- drawn for it; the statement must repeat it
  status TEXT NOT NULL,                    -- asked, and what came of it
  asked_us INTEGER NOT NULL,
  checked_us INTEGER,
  statement TEXT,
  PRIMARY KEY (order_id, authorization_id)
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
CREATE INDEX revocation_recorded ON revocation(recorded_us);
