#include "mutate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 4096, NO_PARENT = -1 };

/* An element: where it begins, where its content does, where it ends. */
struct node {
    size_t start;
    size_t content;
    size_t end;
    int parent;
};

struct mutator {
    const uint8_t *data;
    size_t size;
    uint64_t state;
    struct node nodes[NODES_MAX];
    int count;
    uint8_t *made; /* the new bytes of an element and what is around it so far */
    uint8_t *next;
    size_t len;
    size_t max;
};

/* SplitMix64: small, and the same everywhere. */
static uint64_t draw(struct mutator *m, uint64_t below)
{
    m->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = m->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return below == 0 ? 0 : z % below;
}

/* An element at `at` that ends by `end`: one-byte tags and definite lengths alone. */
static bool read_node(const struct mutator *m, size_t at, size_t end, struct node *ret)
{
    if (end - at < 2 || (m->data[at] & 0x1f) == 0x1f) {
        return false;
    }
    size_t len = m->data[at + 1];
    size_t content = at + 2;
    if (len >= 0x80) {
        size_t bytes = len & 0x7f;
        if (bytes == 0 || bytes > 4 || end - content < bytes) {
            return false;
        }
        len = 0;
        for (size_t i = 0; i < bytes; i++) {
            len = len << 8 | m->data[content + i];
        }
        content += bytes;
    }
    if (len > end - content) {
        return false;
    }
    *ret = (struct node){.start = at, .content = content, .end = content + len};
    return true;
}

static void read_children(struct mutator *m, size_t at, size_t end, int parent)
{
    int before = m->count;
    while (at < end && m->count < NODES_MAX) {
        struct node n;
        if (!read_node(m, at, end, &n)) {
            m->count = parent == NO_PARENT ? m->count : before; /* no elements after all */
            return;
        }
        n.parent = parent;
        m->nodes[m->count++] = n;
        at = n.end;
    }
}

/* Breadth first: children are appended behind all that is known. */
static void take_apart(struct mutator *m)
{
    read_children(m, 0, m->size, NO_PARENT);
    for (int i = 0; i < m->count; i++) {
        struct node n = m->nodes[i];
        uint8_t tag = m->data[n.start];
        if ((tag & 0x20) != 0 || tag == 0x04) {
            read_children(m, n.content, n.end, i);
        } else if (tag == 0x03 && n.end > n.content) {
            read_children(m, n.content + 1, n.end, i);
        }
    }
}

static void add(struct mutator *m, const uint8_t *bytes, size_t len)
{
    if (len <= m->max - m->len) {
        memcpy(m->made + m->len, bytes, len);
        m->len += len;
    }
}

static void add_header(struct mutator *m, uint8_t tag, size_t len)
{
    uint8_t h[6] = {tag, (uint8_t)len};
    size_t n = 2;
    if (len >= 0x80) {
        size_t bytes = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
        h[1] = (uint8_t)(0x80 | bytes);
        for (size_t i = 0; i < bytes; i++) {
            h[n++] = (uint8_t)(len >> (8 * (bytes - 1 - i)));
        }
    }
    add(m, h, n);
}

static void add_node(struct mutator *m, const struct node *n)
{
    add(m, m->data + n->start, n->end - n->start);
}

static void add_changed_content(struct mutator *m, const struct node *n)
{
    size_t len = n->end - n->content;
    uint8_t extra[40];
    size_t more = 0;
    size_t flips = 1 + draw(m, 3);
    if (draw(m, 3) == 0) {
        more = draw(m, sizeof(extra));
        memset(extra, (int)draw(m, 256), sizeof(extra));
    } else if (draw(m, 3) == 0) {
        len = draw(m, len + 1);
    }
    add_header(m, m->data[n->start], len + more);
    size_t at = m->len;
    add(m, m->data + n->content, len);
    for (size_t i = 0; i < flips && len > 0 && m->len == at + len; i++) {
        m->made[at + draw(m, len)] ^= (uint8_t)(1u << draw(m, 8));
    }
    add(m, extra, more);
}

/* The new bytes that stand where the node stood. */
static void change(struct mutator *m, const struct node *n)
{
    static const uint8_t tags[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17,
                                   0x18, 0x1c, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0xa0, 0xa1, 0xa3};
    const struct node *other = &m->nodes[draw(m, (uint64_t)m->count)];
    switch (draw(m, 8)) {
    case 0: /* gone */
        break;
    case 1: /* twice */
        add_node(m, n);
        add_node(m, n);
        break;
    case 2: /* another one in its place */
        add_node(m, other);
        break;
    case 3: /* with another one behind it */
        add_node(m, n);
        add_node(m, other);
        break;
    case 4: /* empty */
        add_header(m, m->data[n->start], 0);
        break;
    case 5: /* of another type */
        add_header(m, tags[draw(m, sizeof(tags))], n->end - n->content);
        add(m, m->data + n->content, n->end - n->content);
        break;
    default:
        add_changed_content(m, n);
        break;
    }
}

/* The elements around it, each with its new length. */
static void put_around(struct mutator *m, int at)
{
    for (; m->nodes[at].parent != NO_PARENT; at = m->nodes[at].parent) {
        const struct node *n = &m->nodes[at];
        const struct node *p = &m->nodes[n->parent];
        uint8_t *inner = m->made;
        size_t inner_len = m->len;
        m->made = m->next;
        m->next = inner;
        m->len = 0;
        add_header(m, m->data[p->start], n->start - p->content + inner_len + p->end - n->end);
        add(m, m->data + p->content, n->start - p->content);
        add(m, inner, inner_len);
        add(m, m->data + n->end, p->end - n->end);
    }
}

static size_t flip(struct mutator *m, uint8_t *data, size_t size)
{
    if (size > 0) {
        data[draw(m, size)] ^= (uint8_t)(1u << draw(m, 8));
    }
    return size;
}

size_t der_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed)
{
    static struct mutator kept; /* large, and one thread's */
    static uint8_t *room;
    static size_t room_len;
    struct mutator *m = &kept;
    if (room_len < 2 * max) {
        free(room);
        room_len = 2 * max;
        room = malloc(room_len);
        if (room == NULL) {
            abort();
        }
    }
    m->data = data;
    m->size = size;
    m->state = seed;
    m->count = 0;
    m->made = room;
    m->next = room + max;
    m->len = 0;
    m->max = max;
    take_apart(m);
    if (m->count == 0 || draw(m, 16) == 0) {
        return flip(m, data, size);
    }
    int at = (int)draw(m, (uint64_t)m->count);
    change(m, &m->nodes[at]);
    put_around(m, at);
    while (m->nodes[at].parent != NO_PARENT) {
        at = m->nodes[at].parent;
    }
    size_t head = m->nodes[at].start;
    size_t tail = size - m->nodes[at].end;
    if (head + m->len + tail <= max) {
        memmove(data + head + m->len, data + m->nodes[at].end, tail);
        memcpy(data + head, m->made, m->len);
        size = head + m->len + tail;
    }
    return size;
}
