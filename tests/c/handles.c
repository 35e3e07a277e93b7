/* Handles, pointers and lengths; nothing here derives a PIN, so it is quick under Valgrind too. */
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static umpin_error *error;

static void getters_check_their_pointers(void) {
    const uint8_t *data = NULL;
    size_t length = 7;
    uint32_t status = 7;
    umpin_session *session = NULL;

    EXPECT(umpin_version(NULL, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_version(&data, NULL), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_buffer_data(NULL, &data, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_json(NULL, &data, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_id(NULL, &data, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_message(NULL, &data, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_recommended_action(NULL, &data, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_status(NULL, &status), UMPIN_NULL_ARGUMENT);
    CHECK(data == NULL && length == 7 && status == 7);

    EXPECT(umpin_session_open(NULL, 0, &session, &error), UMPIN_INVALID_REQUEST);
    EXPECT(umpin_error_json(error, NULL, &length), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_json(error, &data, NULL), UMPIN_NULL_ARGUMENT);
    EXPECT(umpin_error_status(error, NULL), UMPIN_NULL_ARGUMENT);
    CHECK(data == NULL && length == 7 && session == NULL);
    umpin_error_free(error);
    error = NULL;
}

static void calls_check_their_handles(void) {
    umpin_buffer *buffer = NULL;
    umpin_buffer *pin = NULL;
    umpin_plan *plan = NULL;
    umpin_batch *batch = NULL;
    uint64_t index = 7;

    EXPECT_ERROR(umpin_plan_new(NULL, bytes("{}"), 2, NULL, 0, &plan, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_plan_target(NULL, 0, &buffer, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_plan_validate(NULL, 0, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_plan_commit(NULL, 0, &buffer, &pin, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_request_wait(NULL, 0, &buffer, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_batch_new(NULL, 1, &batch, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_batch_submit(NULL, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    EXPECT_ERROR(umpin_batch_collect(NULL, 0, &index, &buffer, &pin, &error), UMPIN_NULL_ARGUMENT, error);
    CHECK(buffer == NULL && pin == NULL && plan == NULL && batch == NULL && index == 7);
    /* Without an error object. */
    EXPECT(umpin_plan_target(NULL, 0, &buffer, NULL), UMPIN_NULL_ARGUMENT);

    umpin_session_free(NULL);
    umpin_plan_free(NULL);
    umpin_request_free(NULL);
    umpin_batch_free(NULL);
    umpin_buffer_free(NULL);
    umpin_error_free(NULL);
}

static void requests_answer_once(const umpin_session *session) {
    static const char json[] = "{\"v\":1,\"operation\":\"status\"}";
    umpin_request *request = NULL;
    umpin_buffer *response = NULL;
    umpin_status_t status;

    EXPECT(umpin_request_new(session, bytes(json), sizeof json - 1, &request, &error), UMPIN_OK);
    EXPECT_ERROR(umpin_request_wait(request, 0, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    do
        status = umpin_request_wait(request, 200, &response, &error);
    while (status == UMPIN_PENDING);
    EXPECT(status, UMPIN_OK);
    free(taken(&response));
    EXPECT_ERROR(umpin_request_wait(request, 0, &response, &error), UMPIN_ALREADY_USED, error);
    CHECK(response == NULL);
    umpin_request_free(request);

    /* Freed before anybody looked at it. */
    request = NULL;
    EXPECT(umpin_request_new(session, bytes(json), sizeof json - 1, &request, &error), UMPIN_OK);
    umpin_request_free(request);
}

static void targets_may_be_asked_again(const umpin_session *session) {
    static const char json[] = "{\"v\":1,\"identity\":\"kima\",\"sendEmail\":false}";
    umpin_plan *plan = NULL;
    umpin_buffer *buffer = NULL;
    char *first = NULL;
    char *second;

    EXPECT(planned(session, json, "1985848", &plan, &first, &error), UMPIN_OK);
    EXPECT(umpin_plan_target(plan, 0, &buffer, &error), UMPIN_OK);
    second = taken(&buffer);
    CHECK(strcmp(first, second) == 0);
    free(first);
    free(second);
    EXPECT_ERROR(umpin_plan_commit(plan, 0, NULL, NULL, &error), UMPIN_NULL_ARGUMENT, error);
    umpin_plan_free(plan);
}

/* Whatever is made from a session outlives it safely. */
static void order_of_freeing(const char *folder) {
    static const char json[] = "{\"v\":1,\"identity\":\"kima\"}";
    umpin_session *session = open_in(folder);
    umpin_plan *plan = NULL;
    umpin_batch *batch = NULL;
    EXPECT(umpin_plan_new(session, bytes(json), sizeof json - 1, NULL, 0, &plan, &error), UMPIN_OK);
    EXPECT(umpin_batch_new(session, 64, &batch, &error), UMPIN_OK);
    umpin_session_free(session);
    umpin_batch_free(batch);
    umpin_plan_free(plan);
}

/* The library's threads are not there in the child of a fork. */
static void not_after_fork(const umpin_session *session) {
    static const char status[] = "{\"v\":1,\"operation\":\"status\"}";
    int result = 0;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        umpin_request *request = NULL;
        if (umpin_request_new(session, bytes(status), sizeof status - 1, &request, NULL) != UMPIN_FORKED)
            _exit(1);
        /* Not by _exit: memory that only the parent's threads know would look like a leak to Valgrind. */
        execlp("true", "true", (char *)NULL);
        _exit(2);
    }
    CHECK(waitpid(child, &result, 0) == child);
    CHECK(WIFEXITED(result) && WEXITSTATUS(result) == 0);
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    umpin_session *session;

    CHECK(umpin_abi_version() == UMPIN_ABI_VERSION);
    getters_check_their_pointers();
    calls_check_their_handles();
    session = open_in(folder);
    import_people(session, folder, PEOPLE);
    requests_answer_once(session);
    targets_may_be_asked_again(session);
    not_after_fork(session);
    order_of_freeing(folder);
    umpin_session_free(session);
    return finished("handles");
}
