/* Brings the copies of all feeds of a directory up to date, one after the
 * other, and says what was done about each. Ctrl-C ends it after the feeds that
 * are at work, with everything reported kept.
 *
 *     cc backup.c $(pkg-config --cflags --libs emonfeed) -o backup
 *     ./backup /var/lib/mysql/emoncms /mnt/backup exclude=12,30-39 keep=5
 */
#include <emonfeed.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted = 0;

static void interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s SOURCE DESTINATION [NAME=VALUE ...]\n", argv[0]);
        return 2;
    }
    signal(SIGINT, interrupt);

    emonfeed_backup *backup = NULL;
    emonfeed_error *error = NULL;
    emonfeed_summary summary;
    /* What main() is given ends with NULL, as the options have to. */
    const char *const *options = (const char *const *)argv + 3;
    emonfeed_status status =
        emonfeed_backup_open(argv[1], argv[2], options, &backup, &error);
    if (status != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
        emonfeed_error_free(error);
        return 1;
    }

    uint64_t done = 0;
    bool more = true;
    while ((status = emonfeed_backup_step(backup, &more, &error)) == EMONFEED_STATUS_OK &&
           more) {
        const emonfeed_report *report = emonfeed_backup_report(backup);
        printf("[%" PRIu64 "/%" PRIu64 "] %s: %s\n", ++done, emonfeed_backup_feeds(backup),
               emonfeed_report_file(report), emonfeed_report_message(report));
        /* A program that has other things to do does them here. */
        if (interrupted)
            emonfeed_backup_stop(backup);
    }
    if (status != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
        emonfeed_error_free(error);
        error = NULL;
    }

    /* Whatever came of the steps, the run is to be ended. */
    emonfeed_status closed = emonfeed_backup_close(backup, &summary, &error);
    if (closed != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
        emonfeed_error_free(error);
        return 1;
    }
    printf("%" PRIu64 " rows copied; %" PRIu64 " of %" PRIu64 " feeds failed%s%s\n",
           summary.rows_copied, summary.failed, summary.feeds,
           *summary.not_deleted ? "; " : "", summary.not_deleted);
    return status != EMONFEED_STATUS_OK || !summary.complete;
}
