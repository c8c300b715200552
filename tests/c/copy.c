/* Brings the copy of a feed up to date and says what it did.
 *
 *     cc copy.c $(pkg-config --cflags --libs emonfeed) -o copy
 *     ./copy /var/lib/mysql/emoncms/feed_7.MYD /mnt/backup
 */
#include <emonfeed.h>

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FEED.MYD FOLDER\n", argv[0]);
        return 2;
    }

    emonfeed_report *report = NULL;
    emonfeed_error *error = NULL;
    emonfeed_status status = emonfeed_copy(argv[1], argv[2], 0, &report, &error);
    if (status != EMONFEED_STATUS_OK) {
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
    } else {
        puts(emonfeed_report_message(report));
        printf("%" PRIu64 " rows copied, %" PRIu64 " in the copy\n",
               emonfeed_report_rows_copied(report), emonfeed_report_rows_total(report));
        if (emonfeed_report_kept(report) != NULL)
            printf("the copy before it is now %s\n", emonfeed_report_kept(report));
    }

    emonfeed_report_free(report);
    emonfeed_error_free(error);
    return status != EMONFEED_STATUS_OK;
}
