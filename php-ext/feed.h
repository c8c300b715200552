#ifndef PHP_EMONFEED_FEED_H
#define PHP_EMONFEED_FEED_H

void php_emonfeed_feed_minit(void);

#endif
