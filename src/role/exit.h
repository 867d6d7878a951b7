#ifndef ROLE_EXIT_H
#define ROLE_EXIT_H
/* What a role's exit status tells its supervisor. */
enum {
    ROLE_DONE = 0,
    ROLE_FAILED = 1,
    ROLE_CUT_OFF =
        75, /* sysexits.h EX_TEMPFAIL: the server that it stands on is out of reach; no fault of its own */
};

#endif
