/* A panic inside the library becomes a status, and the session is of no more use. Needs the feature test-hooks. */
#include "support.h"

#ifdef __cplusplus
extern "C"
#endif
umpin_status_t umpin_test_panic(const umpin_session *session, umpin_error **error);

int main(int argc, char **argv) {
    static const char status[] = "{\"v\":1,\"operation\":\"status\"}";
    static const char reset_request[] = "{\"v\":1,\"identity\":\"kima\"}";
    const char *folder = sandbox(argc, argv);
    umpin_session *session = open_in(folder);
    umpin_session *other;
    umpin_request *request = NULL;
    umpin_plan *plan = NULL;
    umpin_plan *earlier = NULL;
    umpin_batch *batch = NULL;
    umpin_buffer *buffer = NULL;
    umpin_error *error = NULL;
    char *answer = NULL;

    import_people(session, folder, PEOPLE);
    EXPECT(planned(session, reset_request, NULL, &earlier, NULL, &error), UMPIN_OK);

    EXPECT_ERROR(umpin_test_panic(session, &error), UMPIN_PANIC, error);
    EXPECT_ERROR(umpin_test_panic(session, &error), UMPIN_POISONED, error);
    EXPECT_ERROR(umpin_request_new(session, bytes(status), sizeof status - 1, &request, &error), UMPIN_POISONED, error);
    EXPECT_ERROR(umpin_plan_new(session, bytes(reset_request), sizeof reset_request - 1, NULL, 0, &plan, &error), UMPIN_POISONED,
                 error);
    EXPECT_ERROR(umpin_batch_new(session, 1, &batch, &error), UMPIN_POISONED, error);
    EXPECT_ERROR(umpin_plan_commit(earlier, 200, &buffer, NULL, &error), UMPIN_POISONED, error);
    EXPECT(umpin_plan_validate(earlier, 200, NULL), UMPIN_POISONED);
    CHECK(request == NULL && plan == NULL && batch == NULL && buffer == NULL);
    umpin_plan_free(earlier);
    umpin_session_free(session);

    /* Other sessions are not harmed. */
    other = open_in(folder);
    EXPECT(ask(other, status, &answer, &error), UMPIN_OK);
    free(answer);
    umpin_session_free(other);
    return finished("panic");
}
