/* Prints the average of each day of a year, in local time.
 *
 *     cc year.c $(pkg-config --cflags --libs emonfeed) -o year
 *     TZ=Europe/London ./year /var/lib/phptimeseries/feed_7.MYD 2013
 */
#include <emonfeed.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The midnight that begins a day of a year, day 0 being 1 January. */
static int64_t midnight(int year, int day) {
    struct tm date;
    memset(&date, 0, sizeof date);
    date.tm_year = year - 1900;
    date.tm_mday = 1 + day;
    date.tm_isdst = -1; /* mktime finds out: some days have 23 or 25 hours */
    return (int64_t)mktime(&date);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s FEED.MYD YEAR\n", argv[0]);
        return 2;
    }
    int year = atoi(argv[2]);
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    size_t days = leap ? 366 : 365;

    int64_t edges[367];
    for (size_t i = 0; i <= days; i++)
        edges[i] = midnight(year, (int)i);

    emonfeed_feed *feed = NULL;
    emonfeed_series *series = NULL;
    emonfeed_error *error = NULL;
    int failed = emonfeed_feed_open(argv[1], 0, &feed, &error) != EMONFEED_STATUS_OK ||
                 emonfeed_feed_windows_at(feed, edges, days + 1, EMONFEED_AVERAGE, 0,
                                          &series, &error) != EMONFEED_STATUS_OK;
    if (failed)
        fprintf(stderr, "%s\n", emonfeed_error_message(error));

    const emonfeed_point *points = emonfeed_series_points(series);
    for (size_t i = 0; i < emonfeed_series_len(series); i++) {
        time_t start = (time_t)points[i].time;
        char date[16];
        strftime(date, sizeof date, "%Y-%m-%d", localtime(&start));
        if (isnan(points[i].value))
            printf("%s -\n", date);
        else
            printf("%s %.2f\n", date, points[i].value);
    }

    emonfeed_series_free(series);
    emonfeed_feed_free(feed);
    emonfeed_error_free(error);
    return failed;
}
