/* One session, several threads: every reset is there, none is mixed up with another. */
#include <pthread.h>

#include "support.h"

typedef struct job {
    const umpin_session *session;
    const char *identity;
    const char *expired;
    char problem[256];
} job;

/* Writes a problem down, so that it is told together with those of the other threads. */
static void *resets(void *argument) {
    job *mine = (job *)argument;
    int round;
    for (round = 0; round < 3; ++round) {
        char json[256];
        char part[64];
        char *text = NULL;
        char *pin = NULL;
        umpin_status_t status;
        snprintf(json, sizeof json, "{\"v\":1,\"identity\":\"%s\",\"pinExpired\":%s}", mine->identity, mine->expired);
        status = reset(mine->session, json, NULL, &text, &pin, NULL);
        if (status != UMPIN_OK || pin == NULL || strlen(pin) != 6 || strstr(text, mine->identity) == NULL)
            snprintf(mine->problem, sizeof mine->problem, "reset of %s: status %lu", mine->identity, (unsigned long)status);
        free(text);
        free(pin);
        text = NULL;
        snprintf(json, sizeof json, "{\"v\":1,\"operation\":\"pinInfo\",\"identity\":\"%s\"}", mine->identity);
        snprintf(part, sizeof part, "\"pinExpired\":%s", mine->expired);
        status = ask(mine->session, json, &text, NULL);
        if (status != UMPIN_OK || strstr(text, part) == NULL)
            snprintf(mine->problem, sizeof mine->problem, "state of %s: status %lu", mine->identity, (unsigned long)status);
        free(text);
    }
    return NULL;
}

int main(int argc, char **argv) {
    const char *folder = sandbox(argc, argv);
    umpin_session *session = open_in(folder);
    job jobs[] = {
        {session, "tonysmith@contoso.com", "true", ""},
        {session, "kima@contoso.com", "false", ""},
        {session, "patc@contoso.com", "true", ""},
        {session, "patc2@contoso.com", "false", ""},
    };
    pthread_t threads[sizeof jobs / sizeof jobs[0]];
    size_t i;

    import_people(session, folder, PEOPLE);
    for (i = 0; i < sizeof jobs / sizeof jobs[0]; ++i)
        CHECK(pthread_create(&threads[i], NULL, resets, &jobs[i]) == 0);
    for (i = 0; i < sizeof jobs / sizeof jobs[0]; ++i)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (i = 0; i < sizeof jobs / sizeof jobs[0]; ++i) {
        if (jobs[i].problem[0] != '\0')
            fprintf(stderr, "%s\n", jobs[i].problem);
        CHECK(jobs[i].problem[0] == '\0');
    }
    umpin_session_free(session);
    return finished("threads");
}
