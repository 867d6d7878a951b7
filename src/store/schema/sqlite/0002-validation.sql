-- Version 2: what validation and ACME beyond RFC 8555 keep.

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
