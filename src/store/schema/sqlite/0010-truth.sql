-- The book, version 10: what has become of a certificate: replaced, deployed, in use, or nobody knows.

-- Insert-only: a row each time what is known of a certificate changes; the last is what holds. None: silent.
CREATE TABLE certificate_truth (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  step INTEGER NOT NULL,                   -- from 1
  state INTEGER NOT NULL,                  -- ca/truth.h: 1 in use, 2 deployed, 3 not seen, 4 silent
  event TEXT NOT NULL,                     -- edge that led here: successor, seen, successor-seen, left
  since_us INTEGER NOT NULL,
  by_issuer INTEGER NOT NULL,              -- the certificate that it gave way to; 0: none, or none of this book
  by_serial BLOB NOT NULL,
  PRIMARY KEY (issuer, serial, step)
) STRICT, WITHOUT ROWID;
INSERT INTO certificate_truth (issuer, serial, step, state, event, since_us, by_issuer, by_serial)
  SELECT p.old_issuer, p.old_serial, 1, 3, 'successor', p.seen_us, p.new_issuer, p.new_serial
  FROM replacement p
  WHERE NOT EXISTS (SELECT 1 FROM replacement q WHERE q.old_issuer = p.old_issuer AND q.old_serial = p.old_serial
    AND (q.new_issuer, q.new_serial, q.how) < (p.new_issuer, p.new_serial, p.how));

-- From the new certificate back to those that it replaces.
CREATE INDEX replacement_new ON replacement(new_issuer, new_serial);

-- How far certificates that were in the book before, or came without the registrar, were asked for successors. No
-- row: none yet.
CREATE TABLE truth_sweep (
  id INTEGER NOT NULL PRIMARY KEY,         -- 1
  at_issuer INTEGER NOT NULL,
  at_serial BLOB NOT NULL,
  done INTEGER NOT NULL                    -- 1: all of them
) STRICT;

-- One row for each look at many endpoints; status is the state machine of ca/usage.c.
CREATE TABLE usage_scan (
  id INTEGER NOT NULL PRIMARY KEY,         -- shown as "u123"
  status TEXT NOT NULL,                    -- counting, running, paused, done, stopped
  host INTEGER NOT NULL,                   -- whose courier looks
  scope TEXT NOT NULL,                     -- canonical
  scope_sha256 BLOB NOT NULL,
  ports TEXT NOT NULL,                     -- "443,8443"
  rate INTEGER NOT NULL,                   -- connections a second, at most
  concurrency INTEGER NOT NULL,            -- at once, at most
  timeout_ms INTEGER NOT NULL,
  as_of_us INTEGER NOT NULL,               -- the book of which moment was asked
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,                -- operator
  started_us INTEGER NOT NULL,             -- 0: not yet
  ended_us INTEGER NOT NULL,               -- 0: not yet
  count INTEGER NOT NULL,                  -- certificates of the scope
  at_issuer INTEGER NOT NULL,              -- the certificate behind which those begin that are not looked at
  at_serial BLOB NOT NULL,
  certificates INTEGER NOT NULL,           -- looked at
  looked INTEGER NOT NULL,                 -- endpoints
  served INTEGER NOT NULL,                 -- of these showed a certificate
  ours INTEGER NOT NULL,                   -- of these one of this book
  failed INTEGER NOT NULL,                 -- showed none
  skipped INTEGER NOT NULL,                -- were not to be looked at
  why TEXT NOT NULL                        -- it is paused or stopped
) STRICT;
CREATE INDEX usage_scan_live ON usage_scan(id) WHERE status = 'counting' OR status = 'running';

-- Insert-only: what an endpoint showed, each time somebody looked.
CREATE TABLE usage_observation (
  name TEXT NOT NULL,                      -- labels reversed, as in certificate_name; or an address
  port INTEGER NOT NULL,
  looked_us INTEGER NOT NULL,
  scan INTEGER NOT NULL,
  outcome TEXT NOT NULL,                   -- served; refused, timeout, no-address, …: the words of http/peek.h
  address TEXT NOT NULL,                   -- that the name had
  sha256 BLOB NOT NULL,                    -- of the certificate that it showed; empty: none
  issuer INTEGER NOT NULL,                 -- of this book; 0: none of it
  serial BLOB NOT NULL,                    -- whoever issued it; empty: none, or it could not be read
  not_after_us INTEGER NOT NULL,           -- the same; 0
  detail TEXT NOT NULL,                    -- who issued it, where we did not; or what went wrong
  PRIMARY KEY (name, port, looked_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_observation_certificate ON usage_observation(issuer, serial, looked_us);

-- One row for each endpoint: what it showed when it last showed something.
CREATE TABLE usage_endpoint (
  name TEXT NOT NULL,
  port INTEGER NOT NULL,
  scan INTEGER NOT NULL,                   -- the last that looked
  looked_us INTEGER NOT NULL,
  outcome TEXT NOT NULL,                   -- of that look
  seen_us INTEGER NOT NULL,                -- when it last showed a certificate; 0: never
  sha256 BLOB NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  PRIMARY KEY (name, port)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_endpoint_certificate ON usage_endpoint(issuer, serial);
