-- The book, version 9: how well each subscriber can replace certificates, and who must be helped.

-- One row for each account. Everything but tier, since_us and lapse_us is what was seen; those are what
-- ca/ready.c makes of it.
CREATE TABLE readiness (
  account INTEGER NOT NULL PRIMARY KEY,
  tier INTEGER NOT NULL,                   -- enum ca_ready_tier
  since_us INTEGER NOT NULL,               -- of the tier
  lapse_us INTEGER,                        -- when something will be too old for it; NULL: never by itself
  manual INTEGER NOT NULL,                 -- a subscriber without automation
  client TEXT NOT NULL,                    -- of its last order, or of who asks for renewal information
  client_us INTEGER NOT NULL,
  polls INTEGER NOT NULL,                  -- of renewal information for its certificates
  polled_us INTEGER NOT NULL,              -- the last of them; 0: none
  renewals INTEGER NOT NULL,               -- unattended
  renewed_us INTEGER NOT NULL,             -- the last of them; 0: none
  told_us INTEGER NOT NULL,                -- the last that named what it replaces; 0: none
  terms TEXT NOT NULL,                     -- version that was agreed to
  terms_us INTEGER NOT NULL,
  clause INTEGER NOT NULL,                 -- it has the clause about revocation and cooperation
  reached_us INTEGER NOT NULL,             -- a contact that was verified and has not bounced since; 0: none
  intolerant INTEGER NOT NULL,             -- cannot tolerate revocation, by its own word
  intolerant_why TEXT NOT NULL,
  held INTEGER NOT NULL                    -- hold-outs in force of the whole account
) STRICT;
CREATE INDEX readiness_tier ON readiness(tier, account);
CREATE INDEX readiness_lapse ON readiness(lapse_us) WHERE lapse_us IS NOT NULL;
INSERT INTO readiness (account, tier, since_us, manual, client, client_us, polls, polled_us, renewals,
    renewed_us, told_us, terms, terms_us, clause, reached_us, intolerant, intolerant_why, held)
  SELECT a.id, 4, a.created_us, CASE WHEN s.account IS NULL THEN 0 ELSE 1 END, '', 0, 0, 0, 0, 0, 0, '',
    coalesce(a.terms_agreed_us, 0), 0, 0, 0, '', 0
  FROM account a LEFT JOIN subscriber s ON s.account = a.id;

-- Who was asked whether an address reaches somebody, and where letters came back from.
CREATE TABLE contact (
  account INTEGER NOT NULL,
  address TEXT NOT NULL,                   -- without "mailto:"
  verified_us INTEGER NOT NULL,            -- 0: never
  verified_by TEXT NOT NULL,               -- "page, from 192.0.2.1", "operator admin"
  bounced_us INTEGER NOT NULL,             -- 0: never
  bounce TEXT NOT NULL,                    -- what the relay, or an operator, said
  PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

-- Letters that ask for it: a row with a due time, as in mail.
CREATE TABLE contact_letter (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  address TEXT NOT NULL,
  token BLOB,                              -- sealed; gone when it is good for nothing any more
  token_sha256 BLOB NOT NULL,
  status TEXT NOT NULL,                    -- queued, sent, bounced, verified, expired
  attempts INTEGER NOT NULL,
  due_us INTEGER NOT NULL,                 -- of the next attempt, while it is queued
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_us INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contact_letter_token ON contact_letter(token_sha256);
CREATE INDEX contact_letter_account ON contact_letter(account, id);
CREATE INDEX contact_letter_due ON contact_letter(due_us) WHERE status = 'queued';
CREATE INDEX contact_letter_expires ON contact_letter(expires_us) WHERE token IS NOT NULL;

-- How often renewal information was asked for a certificate, as the gateways counted.
CREATE TABLE certificate_poll (
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  polls INTEGER NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  client TEXT NOT NULL,                    -- of the last
  PRIMARY KEY (issuer, serial)
) STRICT, WITHOUT ROWID;

-- Who will not, or cannot, replace in time, by name: a whole account, or a domain and all below it.
CREATE TABLE holdout (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,                -- 0: of any account
  name TEXT NOT NULL,                      -- labels reversed, as in certificate_name; '': the account
  who TEXT NOT NULL,                       -- that says so: person, organisation
  reason TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL,                   -- operator
  lifted_us INTEGER NOT NULL,              -- 0: in force
  lifted_by TEXT NOT NULL
) STRICT;
CREATE INDEX holdout_account ON holdout(account, id) WHERE lifted_us = 0;

-- Insert-only. Who was spoken to, and what came of it.
CREATE TABLE readiness_call (
  id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  called_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL,                   -- operator
  who TEXT NOT NULL,                       -- number or name
  outcome TEXT NOT NULL,                   -- reached, no-answer, will-replace, refuses, wrong-number
  note TEXT NOT NULL,
  again_us INTEGER NOT NULL                -- when to call again; 0: no need
) STRICT;
CREATE INDEX readiness_call_account ON readiness_call(account, id);

-- Links that a subscriber without automation brings certificate requests by, and sees how he stands.
CREATE TABLE reissue_link (
  token_sha256 BLOB NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,                -- operator
  expires_us INTEGER NOT NULL,
  requests INTEGER NOT NULL                -- that came by it
) STRICT, WITHOUT ROWID;
CREATE INDEX reissue_link_account ON reissue_link(account);

-- How many certificates of an issuer are good, as a reader counted last; a cap warns before it is reached.
CREATE TABLE issuer_load (
  issuer INTEGER NOT NULL PRIMARY KEY,
  valid INTEGER NOT NULL,
  counted_us INTEGER NOT NULL,
  cap INTEGER NOT NULL,                    -- that it was held against; 0: none
  warned INTEGER NOT NULL                  -- percent of the cap that was said last; 0: nothing was
) STRICT;
