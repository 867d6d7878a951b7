-- The book, version 4: subscribers without automation.

-- Their accounts have no key: spki and alg are empty, and the thumbprint is drawn.
CREATE TABLE subscriber (                  -- insert-only
  account INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL                 -- operator
) STRICT;

-- What belongs to an order that somebody brought in for a subscriber.
CREATE TABLE enrolment (                   -- insert-only
  order_id INTEGER NOT NULL PRIMARY KEY,
  account INTEGER NOT NULL,
  contact TEXT NOT NULL,                   -- mail address; empty: none
  request BLOB NOT NULL,                   -- packed AcmeFinalize: what its certificate request said
  hold INTEGER NOT NULL,                   -- 1: issued when somebody says so, not as soon as all is proven
  requested_us INTEGER NOT NULL,
  requested_by TEXT NOT NULL
) STRICT;
CREATE INDEX enrolment_account ON enrolment(account, order_id);
