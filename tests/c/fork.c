/* Children of a busy process: none of them may use the library, and none of them hangs. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define CHILDREN 60

typedef struct busy {
    const umpin_session *session;
    const char *identity;
    volatile int stop;
    unsigned resets;
} busy;

static void *keeps_busy(void *argument) {
    busy *mine = (busy *)argument;
    char json[256];
    snprintf(json, sizeof json, "{\"v\":1,\"identity\":\"%s\",\"sendEmail\":false}", mine->identity);
    while (!mine->stop)
        if (reset(mine->session, json, NULL, NULL, NULL, NULL) == UMPIN_OK)
            ++mine->resets;
    return NULL;
}

/* In a child: what is wrong, or 0. */
static int refused(const umpin_session *session, const umpin_plan *plan, const char *folder) {
    static const char status[] = "{\"v\":1,\"operation\":\"status\"}";
    static const char person[] = "{\"v\":1,\"identity\":\"kima\"}";
    char open[1200];
    umpin_session *own = NULL;
    umpin_request *request = NULL;
    umpin_plan *made = NULL;
    umpin_batch *batch = NULL;
    umpin_buffer *response = NULL;
    umpin_error *error = NULL;
    snprintf(open, sizeof open, "{\"v\":1,\"dataDirectory\":\"%s\"}", folder);
    if (umpin_session_open(bytes(open), strlen(open), &own, &error) != UMPIN_FORKED || own != NULL || error == NULL)
        return 1;
    umpin_error_free(error);
    if (umpin_request_new(session, bytes(status), strlen(status), &request, NULL) != UMPIN_FORKED)
        return 2;
    if (umpin_plan_new(session, bytes(person), strlen(person), NULL, 0, &made, NULL) != UMPIN_FORKED)
        return 3;
    if (umpin_plan_commit(plan, 60000, &response, NULL, NULL) != UMPIN_FORKED)
        return 4;
    if (umpin_plan_cancel(plan) != UMPIN_FORKED)
        return 5;
    if (umpin_batch_new(session, 1, &batch, NULL) != UMPIN_FORKED)
        return 6;
    if (umpin_signin(session, bytes(person), strlen(person), bytes("1985848"), 7, &request, NULL) != UMPIN_FORKED)
        return 7;
    /* What needs no session works. */
    if (umpin_abi_version() != UMPIN_ABI_VERSION)
        return 8;
    return 0;
}

/* Not by _exit: memory that only the parent's threads know would look like a leak to Valgrind. */
static void leave(int code) {
    if (code == 0)
        execlp("true", "true", (char *)NULL);
    _exit(code == 0 ? 99 : code);
}

static void expect_exit(pid_t child, int number) {
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        fprintf(stderr, "child %d: %s %d\n", number, WIFSIGNALED(how) ? "ended (a hang, if 14) by signal" : "check",
                WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    CHECK(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

int main(int argc, char **argv) {
    static const char *const names[] = {"tonysmith", "kima", "patc", "patc2"};
    static const char person[] = "{\"v\":1,\"identity\":\"reception\",\"sendEmail\":false}";
    const char *folder = sandbox(argc, argv);
    umpin_session *session;
    umpin_plan *plan = NULL;
    umpin_error *error = NULL;
    busy work[4];
    pthread_t threads[4];
    pid_t children[CHILDREN];
    size_t i;

    /* A fork before the library is used costs nobody anything. */
    children[0] = fork();
    CHECK(children[0] >= 0);
    if (children[0] == 0) {
        umpin_session_free(open_in(folder));
        leave(0);
    }
    expect_exit(children[0], -1);

    session = open_in(folder);
    import_people(session, folder, PEOPLE);
    EXPECT(planned(session, person, NULL, &plan, NULL, &error), UMPIN_OK);
    for (i = 0; i < 4; ++i) {
        work[i].session = session;
        work[i].identity = names[i];
        work[i].stop = 0;
        work[i].resets = 0;
        CHECK(pthread_create(&threads[i], NULL, keeps_busy, &work[i]) == 0);
    }
    for (i = 0; i < CHILDREN; ++i) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            int code;
            alarm(60);
            code = refused(session, plan, folder);
            if (code == 0 && i % 10 == 0) {
                /* For a child's child, too. */
                pid_t nested = fork();
                int how = 0;
                if (nested == 0) {
                    alarm(60);
                    leave(refused(session, plan, folder));
                }
                if (nested < 0 || waitpid(nested, &how, 0) != nested || !WIFEXITED(how) || WEXITSTATUS(how) != 0)
                    code = 50;
            }
            leave(code);
        }
    }
    for (i = 0; i < CHILDREN; ++i)
        expect_exit(children[i], (int)i);
    for (i = 0; i < 4; ++i)
        work[i].stop = 1;
    for (i = 0; i < 4; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        /* The parent was at work, and goes on. */
        CHECK(work[i].resets > 0);
    }
    EXPECT(committed(plan, NULL, NULL, &error), UMPIN_OK);
    umpin_plan_free(plan);
    umpin_session_free(session);
    return finished("fork");
}
