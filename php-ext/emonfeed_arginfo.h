/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 3586d37542b125bebf328b0d4a392c61dc71ea91 */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_emonfeed_get_feed_data, 0, 4, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, feedid, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_DOUBLE, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_DOUBLE, 0)
	ZEND_ARG_TYPE_INFO(0, dp, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_emonfeed_copy, 0, 2, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, source, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, destination, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()


ZEND_FUNCTION(emonfeed_get_feed_data);
ZEND_FUNCTION(emonfeed_copy);


static const zend_function_entry ext_functions[] = {
	ZEND_FE(emonfeed_get_feed_data, arginfo_emonfeed_get_feed_data)
	ZEND_FE(emonfeed_copy, arginfo_emonfeed_copy)
	ZEND_FE_END
};
