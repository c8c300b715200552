/* Prints the points of a graph as JSON, as emoncms's get_feed_data answered a
 * browser in 2013: [[milliseconds,value],...]
 *
 *     cc graph.c $(pkg-config --cflags --libs emonfeed) -o graph
 *     ./graph /var/lib/mysql/emoncms/feed_7.MYD 1372636800000 1375315200000 800
 */
#include <emonfeed.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: %s FEED.MYD START_MS END_MS POINTS\n", argv[0]);
        return 2;
    }

    emonfeed_feed *feed = NULL;
    emonfeed_series *series = NULL;
    emonfeed_text *json = NULL;
    emonfeed_error *error = NULL;
    int failed = emonfeed_feed_open(argv[1], 0, &feed, &error) != EMONFEED_STATUS_OK ||
                 emonfeed_feed_data(feed, atof(argv[2]), atof(argv[3]), atoll(argv[4]),
                                    &series, &error) != EMONFEED_STATUS_OK ||
                 emonfeed_series_json(series, &json, &error) != EMONFEED_STATUS_OK;
    if (failed)
        fprintf(stderr, "%s\n", emonfeed_error_message(error));
    else
        puts(emonfeed_text_data(json));

    emonfeed_text_free(json);
    emonfeed_series_free(series);
    emonfeed_feed_free(feed);
    emonfeed_error_free(error);
    return failed;
}
