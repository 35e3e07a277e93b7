/* Stopping: in every state, twice, too late, and beside waiting calls. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include "support.h"

static umpin_error *error;

/* The store's lock, as another process would hold it: until it is given back no commit point is reached. */
static int hold_store(const char *folder) {
    char path[1024];
    int lock;
    snprintf(path, sizeof path, "%s/directory.db.lock", folder);
    lock = open(path, O_RDWR);
    CHECK(lock >= 0);
    CHECK(flock(lock, LOCK_EX) == 0);
    return lock;
}

static void give_back(int lock) {
    CHECK(close(lock) == 0);
}

static umpin_plan *plan_of(const umpin_session *session, const char *identity) {
    char json[256];
    umpin_plan *plan = NULL;
    snprintf(json, sizeof json, "{\"v\":1,\"identity\":\"%s\"}", identity);
    EXPECT(planned(session, json, NULL, &plan, NULL, &error), UMPIN_OK);
    return plan;
}

static int state_has(const umpin_session *session, const char *identity, const char *part) {
    char json[256];
    char *answer = NULL;
    int has;
    snprintf(json, sizeof json, "{\"v\":1,\"operation\":\"pinInfo\",\"identity\":\"%s\"}", identity);
    EXPECT(ask(session, json, &answer, &error), UMPIN_OK);
    has = strstr(answer, part) != NULL;
    free(answer);
    return has;
}

static void null_is_an_error(void) {
    EXPECT(umpin_plan_cancel(NULL), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_request_cancel(NULL), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_batch_cancel(NULL), UMPIN_NULL_ARGUMENT);
}

static void a_reset_before_its_commit_point(const umpin_session *session, const char *folder) {
    umpin_plan *plan = plan_of(session, "kima");
    umpin_plan *freed = plan_of(session, "kima");
    umpin_buffer *response = NULL;
    umpin_buffer *pin = NULL;
    int lock = hold_store(folder);
    EXPECT(umpin_plan_commit(plan, 50, &response, &pin, &error), UMPIN_PENDING);
    EXPECT(umpin_plan_commit(freed, 0, &response, &pin, &error), UMPIN_PENDING);
    EXPECT(umpin_plan_cancel(plan), UMPIN_OK);
    EXPECT(umpin_plan_cancel(plan), UMPIN_OK);
    umpin_plan_free(freed);
    /* At once, although the store is still held, and without an error object. */
    EXPECT(umpin_plan_commit(plan, 0, &response, &pin, &error), UMPIN_CANCELLED);
    CHECK(response == NULL && pin == NULL && error == NULL);
    EXPECT_ERROR(umpin_plan_commit(plan, 0, &response, &pin, &error), UMPIN_ALREADY_USED, error);
    EXPECT(umpin_plan_cancel(plan), UMPIN_OK);
    give_back(lock);
    umpin_plan_free(plan);
    CHECK(state_has(session, "kima", "\"lastSet\":null"));
}

static void a_reset_that_has_ended(const umpin_session *session) {
    umpin_plan *plan = plan_of(session, "patc");
    EXPECT(committed(plan, NULL, NULL, &error), UMPIN_OK);
    EXPECT(umpin_plan_cancel(plan), UMPIN_OK);
    umpin_plan_free(plan);
    CHECK(!state_has(session, "patc", "\"lastSet\":null"));
}

static void *waits(void *argument) {
    umpin_buffer *response = NULL;
    umpin_status_t *status = (umpin_status_t *)calloc(1, sizeof *status);
    *status = umpin_plan_commit((const umpin_plan *)argument, 60000, &response, NULL, NULL);
    umpin_buffer_free(response);
    return status;
}

static void *cancels(void *argument) {
    EXPECT(umpin_plan_cancel((const umpin_plan *)argument), UMPIN_OK);
    return NULL;
}

static void beside_a_waiting_call(const umpin_session *session, const char *folder) {
    umpin_plan *plan = plan_of(session, "kima");
    umpin_buffer *response = NULL;
    pthread_t waiter;
    pthread_t cancellers[8];
    void *told = NULL;
    size_t i;
    int lock = hold_store(folder);
    EXPECT(umpin_plan_commit(plan, 0, &response, NULL, &error), UMPIN_PENDING);
    CHECK(pthread_create(&waiter, NULL, waits, plan) == 0);
    for (i = 0; i < 8; ++i)
        CHECK(pthread_create(&cancellers[i], NULL, cancels, plan) == 0);
    for (i = 0; i < 8; ++i)
        CHECK(pthread_join(cancellers[i], NULL) == 0);
    CHECK(pthread_join(waiter, &told) == 0);
    CHECK(*(umpin_status_t *)told == UMPIN_CANCELLED);
    free(told);
    give_back(lock);
    umpin_plan_free(plan);
    CHECK(state_has(session, "kima", "\"lastSet\":null"));
}

static void a_batch(const umpin_session *session, const char *folder) {
    umpin_batch *batch = NULL;
    umpin_plan *plans[3];
    umpin_plan *late = plan_of(session, "tonysmith");
    umpin_buffer *response = NULL;
    uint64_t index = 7;
    uint64_t i;
    int lock;
    EXPECT(umpin_batch_new(session, 2, &batch, &error), UMPIN_OK);
    for (i = 0; i < 2; ++i)
        plans[i] = plan_of(session, i == 0 ? "kima" : "patc2");
    plans[2] = plan_of(session, "kima");
    lock = hold_store(folder);
    for (i = 0; i < 3; ++i)
        EXPECT(umpin_batch_submit(batch, plans[i], &error), UMPIN_OK);
    EXPECT(umpin_batch_collect(batch, 0, &index, &response, NULL, &error), UMPIN_PENDING);
    EXPECT(umpin_batch_cancel(batch), UMPIN_OK);
    EXPECT(umpin_batch_cancel(batch), UMPIN_OK);
    EXPECT(umpin_batch_submit(batch, late, &error), UMPIN_CANCELLED);
    for (i = 0; i < 3; ++i) {
        EXPECT(umpin_batch_collect(batch, 0, &index, &response, NULL, &error), UMPIN_CANCELLED);
        CHECK(index == i && response == NULL && error == NULL);
        umpin_plan_free(plans[i]);
    }
    EXPECT(umpin_batch_collect(batch, 0, &index, &response, NULL, &error), UMPIN_BATCH_EMPTY);
    give_back(lock);
    umpin_batch_free(batch);
    CHECK(state_has(session, "kima", "\"lastSet\":null"));
    /* What the batch did not accept is still the caller's to carry out. */
    EXPECT(committed(late, NULL, NULL, &error), UMPIN_OK);
    umpin_plan_free(late);
}

static void an_import(const umpin_session *session, const char *folder) {
    char json[2048];
    char *answer = NULL;
    umpin_request *request = NULL;
    umpin_buffer *response = NULL;
    int lock = hold_store(folder);
    snprintf(json, sizeof json, "%s/more.csv", folder);
    write_file(json, PEOPLE, strlen(PEOPLE));
    snprintf(json, sizeof json, "{\"v\":1,\"operation\":\"import\",\"path\":\"%s/more.csv\"}", folder);
    EXPECT(umpin_request_new(session, bytes(json), strlen(json), &request, &error), UMPIN_OK);
    EXPECT(umpin_request_wait(request, 50, &response, &error), UMPIN_PENDING);
    EXPECT(umpin_request_cancel(request), UMPIN_OK);
    EXPECT(umpin_request_wait(request, 0, &response, &error), UMPIN_CANCELLED);
    CHECK(response == NULL && error == NULL);
    EXPECT_ERROR(umpin_request_wait(request, 0, &response, &error), UMPIN_ALREADY_USED, error);
    EXPECT(umpin_request_cancel(request), UMPIN_OK);
    umpin_request_free(request);
    give_back(lock);
    EXPECT(ask(session, "{\"v\":1,\"operation\":\"audit\",\"action\":\"Import\"}", &answer, &error), UMPIN_OK);
    CHECK(strstr(answer, "people.csv") != NULL && strstr(answer, "more.csv") == NULL);
    free(answer);
}

static void no_guess_is_free(const umpin_session *session) {
    static const char fields[] = "{\"v\":1,\"identity\":\"reception\",\"sendEmail\":false}";
    static const char attempt[] = "{\"v\":1,\"identity\":\"reception\"}";
    umpin_request *request = NULL;
    umpin_buffer *response = NULL;
    umpin_signin_t result = 0;
    umpin_status_t status;
    EXPECT(reset(session, fields, "1985848", NULL, NULL, &error), UMPIN_OK);
    EXPECT(umpin_signin(session, bytes(attempt), strlen(attempt), bytes("573910"), 6, &request, &error), UMPIN_OK);
    EXPECT(umpin_request_cancel(request), UMPIN_OK);
    do
        status = umpin_request_wait(request, 200, &response, &error);
    while (status == UMPIN_PENDING);
    EXPECT(status, UMPIN_OK);
    umpin_buffer_free(response);
    EXPECT(umpin_signin_result(request, &result, NULL, NULL, &error), UMPIN_OK);
    CHECK(result == UMPIN_SIGNIN_REJECTED);
    umpin_request_free(request);
    CHECK(state_has(session, "reception", "\"failedAttempts\":1,"));
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    umpin_session *session = open_in(folder);
    import_people(session, folder, PEOPLE);
    null_is_an_error();
    a_reset_that_has_ended(session);
    a_reset_before_its_commit_point(session, folder);
    beside_a_waiting_call(session, folder);
    a_batch(session, folder);
    an_import(session, folder);
    no_guess_is_free(session);
    umpin_session_free(session);
    return finished("cancel");
}
