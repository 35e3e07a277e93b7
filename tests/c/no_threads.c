/* Where the system gives no threads: a session says so, or works with those that it has. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define RESETS 12

static umpin_error *error;

/* The limit does not hold for root. */
static void become_somebody(const char *folder) {
    if (geteuid() != 0)
        return;
    CHECK(chown(folder, 65534, 65534) == 0);
    CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

/* From now on no process of this account gets another thread, because this one is one already. */
static void no_more_threads(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);
    limit.rlim_cur = 1;
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

static void threads_again(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NPROC, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

int main(int argc, char **argv) {
    static const char *const names[] = {"tonysmith", "kima", "patc", "patc2"};
    static const char attempt[] = "{\"v\":1,\"identity\":\"reception\"}";
    static const char reception[] = "{\"v\":1,\"identity\":\"reception\",\"sendEmail\":false}";
    const char *given = sandbox(argc, argv);
    char folder[512];
    char open[1024];
    umpin_session *session = NULL;
    umpin_batch *batch = NULL;
    umpin_plan *plans[RESETS];
    umpin_request *request = NULL;
    umpin_buffer *response = NULL;
    umpin_signin_t result = 0;
    umpin_status_t status;
    uint64_t index = 0;
    size_t i;

    /* The way to the folder may be closed to others. */
    if (geteuid() == 0) {
        snprintf(folder, sizeof folder, "/tmp/umpin-no-threads-XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
    } else {
        snprintf(folder, sizeof folder, "%s", given);
    }
    become_somebody(folder);
    snprintf(open, sizeof open, "{\"v\":1,\"dataDirectory\":\"%s\"}", folder);

    no_more_threads();
    EXPECT(umpin_session_open(bytes(open), strlen(open), &session, &error), UMPIN_NATIVE_FAULT);
    CHECK(session == NULL && error_says(error, "thread"));
    umpin_error_free(error);
    error = NULL;

    threads_again();
    session = open_in(folder);
    no_more_threads();
    import_people(session, folder, PEOPLE);
    EXPECT(umpin_batch_new(session, 8, &batch, &error), UMPIN_OK);
    for (i = 0; i < RESETS; ++i) {
        char json[128];
        snprintf(json, sizeof json, "{\"v\":1,\"identity\":\"%s\"}", names[i % 4]);
        EXPECT(planned(session, json, NULL, &plans[i], NULL, &error), UMPIN_OK);
        EXPECT(umpin_batch_submit(batch, plans[i], &error), UMPIN_OK);
    }
    EXPECT(reset(session, reception, "1985848", NULL, NULL, &error), UMPIN_OK);
    EXPECT(umpin_signin(session, bytes(attempt), strlen(attempt), bytes("1985848"), 7, &request, &error), UMPIN_OK);
    for (i = 0; i < RESETS; ++i) {
        do
            status = umpin_batch_collect(batch, 200, &index, &response, NULL, &error);
        while (status == UMPIN_PENDING);
        EXPECT(status, UMPIN_OK);
        CHECK(index == i);
        umpin_buffer_free(response);
        response = NULL;
        umpin_plan_free(plans[i]);
    }
    do
        status = umpin_request_wait(request, 200, &response, &error);
    while (status == UMPIN_PENDING);
    EXPECT(status, UMPIN_OK);
    umpin_buffer_free(response);
    EXPECT(umpin_signin_result(request, &result, NULL, NULL, &error), UMPIN_OK);
    CHECK(result == UMPIN_SIGNIN_CHANGE_REQUIRED);
    umpin_request_free(request);
    umpin_batch_free(batch);
    umpin_session_free(session);
    threads_again();
    if (strcmp(folder, given) != 0) {
        char remove[600];
        snprintf(remove, sizeof remove, "rm -rf '%s'", folder);
        CHECK(system(remove) == 0);
    }
    return finished("no_threads");
}
