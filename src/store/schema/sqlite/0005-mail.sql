-- The book, version 5: letters to those who may say that a name is theirs (BR 3.2.2.4.4, .13, .14).

-- The DNS is being asked whom to write to.
CREATE TABLE mail_lookup (
  authorization_id INTEGER NOT NULL,
  idx INTEGER NOT NULL,                    -- of the challenge
  nonce BLOB NOT NULL,                     -- drawn for it; the statement must repeat it
  asked_us INTEGER NOT NULL,
  contact TEXT NOT NULL,                   -- the only one that is wanted; empty: all that there are
  PRIMARY KEY (authorization_id, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_lookup_asked ON mail_lookup(asked_us);

-- One row for each letter: a random value of its own, to one address.
CREATE TABLE mail (
  id INTEGER NOT NULL PRIMARY KEY,
  authorization_id INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  recipient TEXT NOT NULL,
  token BLOB,                              -- the random value, sealed; gone when it is good for nothing any more
  token_sha256 BLOB NOT NULL,
  status TEXT NOT NULL,                    -- queued, sent, refused, approved, declined, withdrawn, expired
  attempts INTEGER NOT NULL,
  due_us INTEGER NOT NULL,                 -- of the next attempt, while it is queued
  created_us INTEGER NOT NULL,
  expires_us INTEGER NOT NULL,
  sent_us INTEGER,
  answered_us INTEGER,
  answered_from TEXT,                      -- address of the network
  error TEXT                               -- the relay's last words
) STRICT;
CREATE INDEX mail_challenge ON mail(authorization_id, idx);
CREATE UNIQUE INDEX mail_token ON mail(token_sha256);
CREATE INDEX mail_due ON mail(due_us) WHERE status = 'queued';
CREATE INDEX mail_expires ON mail(expires_us) WHERE token IS NOT NULL;
