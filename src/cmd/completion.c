/* lintel completion bash: made from the tables of verbs and options, so it is never behind them. */
#include <string.h>

#include "cmd/verbs.h"

static void verb_words(struct lt_buf *out)
{
    for (size_t i = 0; i < cmd_verb_count; i++) {
        const char *name = cmd_verbs[i]->name;
        lt_buf_addf(out, "%s%.*s", i > 0 ? " " : "", (int)strcspn(name, " "), name);
    }
}

static void verb_case(const struct cmd_verb *v, struct lt_buf *out)
{
    lt_buf_addf(out, "    '%s') options='", v->name);
    for (size_t i = 0; i < v->option_count; i++) {
        lt_buf_addf(out, "--%s ", v->options[i].name);
    }
    for (size_t i = 0; i < cmd_common_count; i++) {
        lt_buf_addf(out, "--%s ", cmd_common[i].name);
    }
    lt_buf_add_cstr(out, "' ;;\n");
}

static void value_cases(struct lt_buf *out)
{
    for (size_t i = 0; i < cmd_verb_count; i++) {
        for (size_t k = 0; k < cmd_verbs[i]->option_count; k++) {
            const struct cmd_option *o = &cmd_verbs[i]->options[k];
            if (o->words != NULL) {
                lt_buf_addf(out, "    '%s --%s') COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n",
                            cmd_verbs[i]->name, o->name, o->words);
            }
        }
    }
}

static void second_words(struct lt_buf *out)
{
    for (size_t i = 0; i < cmd_verb_count; i++) {
        const char *space = strchr(cmd_verbs[i]->name, ' ');
        if (space != NULL) {
            lt_buf_addf(out, "    %.*s) seconds=\"$seconds %.*s\" ;;&\n", (int)(space - cmd_verbs[i]->name),
                        cmd_verbs[i]->name, (int)strcspn(space + 1, " "), space + 1);
        }
    }
}

/* "incident cause add": the third word, where a verb has one. */
static void third_words(struct lt_buf *out)
{
    for (size_t i = 0; i < cmd_verb_count; i++) {
        const char *name = cmd_verbs[i]->name;
        const char *space = strchr(name, ' ');
        const char *last = space != NULL ? strchr(space + 1, ' ') : NULL;
        if (last != NULL) {
            lt_buf_addf(out, "    '%.*s') thirds=\"$thirds %s\" ;;&\n", (int)(last - name), name, last + 1);
        }
    }
}

static lt_res run(struct cmd *c)
{
    struct lt_buf out;
    LT_CHECK(strcmp(c->args.words[0], "bash") == 0, LT_PEER_USAGE, "only bash is known");
    lt_buf_init(&out, 1 << 20);
    lt_buf_add_cstr(&out, "# lintel completion bash; load with: source <(lintel completion bash)\n"
                          "_lintel() {\n"
                          "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                          "  local verb=${COMP_WORDS[1]} seconds='' thirds='' options=''\n"
                          "  if [ \"$COMP_CWORD\" = 1 ]; then COMPREPLY=($(compgen -W '");
    verb_words(&out);
    lt_buf_add_cstr(&out, "' -- \"$word\")); return; fi\n  case $verb in\n");
    second_words(&out);
    lt_buf_add_cstr(&out, "  esac\n"
                          "  case \" $seconds \" in *\" ${COMP_WORDS[2]} \"*) "
                          "[ \"$COMP_CWORD\" = 2 ] || verb=\"$verb ${COMP_WORDS[2]}\" ;; esac\n"
                          "  case $verb in\n");
    third_words(&out);
    lt_buf_add_cstr(&out, "  esac\n"
                          "  case \" $thirds \" in *\" ${COMP_WORDS[3]} \"*) "
                          "[ \"$COMP_CWORD\" = 3 ] || verb=\"$verb ${COMP_WORDS[3]}\" ;; esac\n"
                          "  case \"$verb $before\" in\n");
    value_cases(&out);
    lt_buf_add_cstr(&out, "    *' --dir'|*' --key'|*file) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
                          "  esac\n  case $verb in\n");
    for (size_t i = 0; i < cmd_verb_count; i++) {
        verb_case(cmd_verbs[i], &out);
    }
    lt_buf_add_cstr(&out, "  esac\n"
                          "  [ \"$COMP_CWORD\" = 2 ] && options=\"$seconds $options\"\n"
                          "  [ \"$COMP_CWORD\" = 3 ] && options=\"$thirds $options\"\n"
                          "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                          "  [ -n \"${COMPREPLY[*]}\" ] || COMPREPLY=($(compgen -f -- \"$word\"))\n"
                          "}\n"
                          "complete -F _lintel lintel\n");
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

const struct cmd_verb cmd_completion = {
    .name = "completion",
    .words = "bash",
    .words_least = 1,
    .words_most = 1,
    .summary = "print what makes the shell complete verbs and options",
    .help = "examples:\n  source <(lintel completion bash)\n",
    .options = NULL,
    .option_count = 0,
    .run = run,
};
