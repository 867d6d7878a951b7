/* Finding libpq at run time. Refuses a library that lacks any of the functions that are used. */
#include "store/pq.h"

#include <dlfcn.h>
#include <string.h>

#include "base/slice.h"

#define LIBRARY "libpq.so.5"
#define PQ_ROW(name_) {#name_, offsetof(struct pq, name_)},

static const struct {
    const char *name;
    size_t offset;
} functions[] = {PQ_FUNCTIONS(PQ_ROW)};

lt_res pq_load(const struct pq **ret_pq)
{
    static struct pq loaded;
    static bool done;
    if (!done) {
        void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        LT_CHECK(library != NULL, LT_PEER_USAGE,
                 "a book in PostgreSQL needs %s (Debian: apt install libpq5): %.100s", LIBRARY, dlerror());
        for (size_t i = 0; i < LT_COUNT(functions); i++) {
            void *found = dlsym(library, functions[i].name);
            LT_CHECK(found != NULL, LT_PEER_USAGE, "%s is too old: it has no %s", LIBRARY, functions[i].name);
            memcpy((char *)&loaded + functions[i].offset, &found, sizeof found); /* POSIX: they fit */
        }
        done = true;
    }
    *ret_pq = &loaded;
    return LT_OK;
}
