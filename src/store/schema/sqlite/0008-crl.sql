-- The book, version 8: parts of CRLs, looked at after they were published.

-- One row for each CRL that is published, of its newest publication: what a relying party was given when it
-- was fetched back. It is asked again at due_us until it was good; NULL: nothing is waiting.
CREATE TABLE crl_check (
  issuer INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  number BLOB NOT NULL,                    -- big-endian, 8 bytes, of the CRL that was published
  published_us INTEGER NOT NULL,
  due_us INTEGER,                          -- of the next look
  tries INTEGER NOT NULL,                  -- since it was published
  checked_us INTEGER,                      -- when it was last looked at; NULL: never yet
  good INTEGER NOT NULL,                   -- 1: the very CRL that was published came back and holds
  detail TEXT NOT NULL,                    -- what was wrong; '' where nothing is
  bytes INTEGER NOT NULL,                  -- of what came
  took_us INTEGER NOT NULL,
  PRIMARY KEY (issuer, shard)
) STRICT, WITHOUT ROWID;
CREATE INDEX crl_check_due ON crl_check(due_us) WHERE due_us IS NOT NULL;
