#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* Which program this is, to the commit: "0.1.0+g0123456789ab", with ".changed" behind it when it was built
 * from a tree that no commit holds, and "0.1.0" where there was no repository. It stands in every piece of
 * evidence. */
extern const char lt_version[];

#endif
