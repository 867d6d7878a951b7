-- The book, version 6: what lets a scope be counted without reading every certificate.

-- Programs that issued or validated, interned: "build < 1.4.2" is a list of these.
CREATE TABLE build (                       -- insert-only
  name TEXT NOT NULL PRIMARY KEY,
  first_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO build (name, first_us) SELECT build, min(issued_us) FROM certificate WHERE build <> '' GROUP BY build;
INSERT INTO build (name, first_us)
  SELECT DISTINCT build, 0 FROM dimension WHERE build <> '' AND build NOT IN (SELECT name FROM build);

-- Insert-only. How the other names of a certificate were validated: a row for each dimension that is not
-- certificate.worst_dimension. Most certificates have none.
CREATE TABLE certificate_dimension (
  dimension INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,
  PRIMARY KEY (dimension, issuer, serial, copy)
) STRICT, WITHOUT ROWID;
INSERT INTO certificate_dimension (dimension, issuer, serial, copy)
  SELECT DISTINCT e.dimension, n.issuer, n.serial, n.copy
  FROM certificate_name n
  JOIN certificate c ON c.issuer = n.issuer AND c.serial = n.serial AND c.copy = n.copy
  JOIN authorization a ON a.id = n.authorization_id
  JOIN evidence e ON e.authorization_id = a.id AND e.checked_us = a.validated_us
  WHERE e.dimension <> c.worst_dimension;

-- Insert-only. What linters found, at issuance or later, by rule; from this version on.
CREATE TABLE certificate_finding (
  rule TEXT NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  copy INTEGER NOT NULL,
  result TEXT NOT NULL,                    -- notice, warn, error, fatal: of the first look that found it
  found_us INTEGER NOT NULL,
  PRIMARY KEY (rule, issuer, serial, copy)
) STRICT, WITHOUT ROWID;

-- Everything that summarised evidence is asked for, in one index: a count reads a quarter of the table.
CREATE INDEX certificate_summary ON certificate(issued_us, not_after_us, worst_dimension, oldest_caa_us,
  oldest_validation_us, least_quorum, profile, account, key_type, name_count, shard, build);

-- Insert-only. Expressions that were given a name; a changed one is the next version.
CREATE TABLE scope (
  name TEXT NOT NULL,
  version INTEGER NOT NULL,                -- from 1
  text TEXT NOT NULL,                      -- canonical
  sha256 BLOB NOT NULL,                    -- of text
  note TEXT NOT NULL,
  as_of_us INTEGER NOT NULL,               -- "now" of the run that was saved
  count INTEGER NOT NULL,                  -- of that run
  members_sha256 BLOB NOT NULL,            -- of that run: over its certificates in order
  saved_us INTEGER NOT NULL,
  saved_by TEXT NOT NULL,                  -- operator
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;
