-- The book, version 14: what a CRL has of entries whose certificates have expired.

-- One row for each part, of the CRL with that number: it leaves out the entries whose certificates had expired before
-- kept_from_us. So many go at once and no more; the rest with the next one.
CREATE TABLE crl_kept (
  issuer INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  number BLOB NOT NULL,                    -- as in crl
  kept_from_us INTEGER NOT NULL,           -- 0: it leaves out none
  PRIMARY KEY (issuer, shard)
) STRICT, WITHOUT ROWID;
