/* Including the header again changes nothing, and what it defines is usable in both languages. */
#include "umpin.h"
#include "umpin.h"

#include <string.h>

#if !defined(__cplusplus)
/* Plain integers of the promised size cross the boundary. */
_Static_assert(sizeof(umpin_status_t) == 4, "a status has 32 bits");
#endif

#if UMPIN_OK != 0 || UMPIN_PENDING != 1 || UMPIN_BATCH_EMPTY != 2
#error "the numbers of the three answers that are not failures have changed"
#endif

int main(void) {
    const uint8_t *text = NULL;
    size_t length = 0;
    umpin_session *session = NULL;
    umpin_plan *plan = NULL;
    umpin_batch *batch = NULL;
    umpin_request *request = NULL;
    umpin_buffer *buffer = NULL;
    umpin_error *error = NULL;

    umpin_session_free(session);
    umpin_plan_free(plan);
    umpin_batch_free(batch);
    umpin_request_free(request);
    umpin_buffer_free(buffer);
    umpin_error_free(error);

    if (umpin_version(&text, &length) != UMPIN_OK)
        return 1;
    return length == strlen(UMPIN_VERSION_TEXT) && memcmp(text, UMPIN_VERSION_TEXT, length) == 0 ? 0 : 2;
}
