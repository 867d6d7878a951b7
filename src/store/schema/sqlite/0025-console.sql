-- The book, version 25: who may use the console, and who does.

-- A passkey of an operator. The statement that made it theirs is signed by the key of a link, which is taken once; the
-- examiner keeps its own list and verifies the same statement.
CREATE TABLE console_passkey (
  id TEXT NOT NULL PRIMARY KEY,            -- base64url of the SHA-256 of the credential's id
  credential_id BLOB NOT NULL,
  operator TEXT NOT NULL,
  rp TEXT NOT NULL,                        -- host name of the page that it answers
  spki BLOB NOT NULL,
  alg TEXT NOT NULL,                       -- ES256, EdDSA, RS256
  enrolment_spki BLOB NOT NULL UNIQUE,
  signature BLOB NOT NULL,                 -- of that key over the statement (ca/passkey.h)
  owner_thumbprint BLOB NOT NULL,          -- SHA-256 of the operator's own key then: a namesake has another
  sign_count INTEGER NOT NULL,             -- as it last said; 0: it does not count
  created_us INTEGER NOT NULL,
  used_us INTEGER NOT NULL                 -- 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX console_passkey_created ON console_passkey (created_us);

-- Rows stay: what was signed in a session is verified with its key for as long as the event is kept.
CREATE TABLE console_session (
  id TEXT NOT NULL PRIMARY KEY,            -- 128 random bits in base64url; "session:ID" names its key
  cookie_sha256 BLOB NOT NULL UNIQUE,
  operator TEXT NOT NULL,
  spki BLOB NOT NULL,                      -- of the key that the browser keeps
  owner_thumbprint BLOB NOT NULL,          -- SHA-256 of the operator's own key then
  method TEXT NOT NULL,                    -- passkey, certificate
  passkey TEXT NOT NULL,                   -- '': of a client certificate
  address TEXT NOT NULL,
  opened_us INTEGER NOT NULL,
  expires_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- 0: not before it expires
  ended_by TEXT NOT NULL                   -- operator who ended it; '': nobody
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_operator ON console_session (operator, opened_us);
CREATE INDEX console_session_opened ON console_session (opened_us);

-- An approval by passkey: signature is empty then.
ALTER TABLE approval ADD COLUMN passkey BLOB;  -- PasskeyAssertion, packed; null: by the operator's own key
