/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 2d531803677e27319cd1f2c3c1b557aa88a11d9e */

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Emonfeed_Feed___construct, 0, 0, 1)
	ZEND_ARG_TYPE_INFO(0, path, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_meta, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_lastValue, 0, 0, IS_ARRAY, 1)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windows, 0, 3, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, interval, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windowsJson, 0, 3, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, interval, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windowsCsv, 0, 3, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, interval, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, format, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windowsAt, 0, 1, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, edges, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windowsAtJson, 0, 1, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, edges, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_windowsAtCsv, 0, 1, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, edges, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, aggregate, IS_LONG, 0, "Emonfeed\\Feed::FIRST")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, format, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_valuesAt, 0, 1, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, times, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, mode, IS_LONG, 0, "Emonfeed\\Feed::LINEAR")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_valuesAtCsv, 0, 1, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, times, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, mode, IS_LONG, 0, "Emonfeed\\Feed::LINEAR")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, flags, IS_LONG, 0, "0")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, format, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_rows, 0, 2, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, limit, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_rowsJson, 0, 2, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, limit, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_rowsCsv, 0, 2, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, format, IS_ARRAY, 0, "[]")
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, given, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_histogram, 0, 2, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, start, IS_LONG, 0)
	ZEND_ARG_TYPE_INFO(0, end, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Feed_sumByTime, 0, 2, IS_ARRAY, 0)
	ZEND_ARG_TYPE_INFO(0, min, IS_DOUBLE, 0)
	ZEND_ARG_TYPE_INFO(0, max, IS_DOUBLE, 0)
ZEND_END_ARG_INFO()


ZEND_METHOD(Emonfeed_Feed, __construct);
ZEND_METHOD(Emonfeed_Feed, meta);
ZEND_METHOD(Emonfeed_Feed, lastValue);
ZEND_METHOD(Emonfeed_Feed, windows);
ZEND_METHOD(Emonfeed_Feed, windowsJson);
ZEND_METHOD(Emonfeed_Feed, windowsCsv);
ZEND_METHOD(Emonfeed_Feed, windowsAt);
ZEND_METHOD(Emonfeed_Feed, windowsAtJson);
ZEND_METHOD(Emonfeed_Feed, windowsAtCsv);
ZEND_METHOD(Emonfeed_Feed, valuesAt);
ZEND_METHOD(Emonfeed_Feed, valuesAtCsv);
ZEND_METHOD(Emonfeed_Feed, rows);
ZEND_METHOD(Emonfeed_Feed, rowsJson);
ZEND_METHOD(Emonfeed_Feed, rowsCsv);
ZEND_METHOD(Emonfeed_Feed, histogram);
ZEND_METHOD(Emonfeed_Feed, sumByTime);


static const zend_function_entry class_Emonfeed_Feed_methods[] = {
	ZEND_ME(Emonfeed_Feed, __construct, arginfo_class_Emonfeed_Feed___construct, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, meta, arginfo_class_Emonfeed_Feed_meta, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, lastValue, arginfo_class_Emonfeed_Feed_lastValue, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windows, arginfo_class_Emonfeed_Feed_windows, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windowsJson, arginfo_class_Emonfeed_Feed_windowsJson, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windowsCsv, arginfo_class_Emonfeed_Feed_windowsCsv, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windowsAt, arginfo_class_Emonfeed_Feed_windowsAt, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windowsAtJson, arginfo_class_Emonfeed_Feed_windowsAtJson, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, windowsAtCsv, arginfo_class_Emonfeed_Feed_windowsAtCsv, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, valuesAt, arginfo_class_Emonfeed_Feed_valuesAt, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, valuesAtCsv, arginfo_class_Emonfeed_Feed_valuesAtCsv, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, rows, arginfo_class_Emonfeed_Feed_rows, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, rowsJson, arginfo_class_Emonfeed_Feed_rowsJson, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, rowsCsv, arginfo_class_Emonfeed_Feed_rowsCsv, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, histogram, arginfo_class_Emonfeed_Feed_histogram, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Feed, sumByTime, arginfo_class_Emonfeed_Feed_sumByTime, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};

static zend_class_entry *register_class_Emonfeed_Feed(void)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Emonfeed", "Feed", class_Emonfeed_Feed_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;

	zval const_FIRST_value;
	ZVAL_LONG(&const_FIRST_value, 0);
	zend_string *const_FIRST_name = zend_string_init_interned("FIRST", sizeof("FIRST") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_FIRST_name, &const_FIRST_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_FIRST_name);

	zval const_LAST_value;
	ZVAL_LONG(&const_LAST_value, 1);
	zend_string *const_LAST_name = zend_string_init_interned("LAST", sizeof("LAST") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_LAST_name, &const_LAST_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_LAST_name);

	zval const_AVERAGE_value;
	ZVAL_LONG(&const_AVERAGE_value, 2);
	zend_string *const_AVERAGE_name = zend_string_init_interned("AVERAGE", sizeof("AVERAGE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_AVERAGE_name, &const_AVERAGE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_AVERAGE_name);

	zval const_MIN_value;
	ZVAL_LONG(&const_MIN_value, 3);
	zend_string *const_MIN_name = zend_string_init_interned("MIN", sizeof("MIN") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_MIN_name, &const_MIN_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_MIN_name);

	zval const_MAX_value;
	ZVAL_LONG(&const_MAX_value, 4);
	zend_string *const_MAX_name = zend_string_init_interned("MAX", sizeof("MAX") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_MAX_name, &const_MAX_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_MAX_name);

	zval const_SUM_value;
	ZVAL_LONG(&const_SUM_value, 5);
	zend_string *const_SUM_name = zend_string_init_interned("SUM", sizeof("SUM") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_SUM_name, &const_SUM_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_SUM_name);

	zval const_COUNT_value;
	ZVAL_LONG(&const_COUNT_value, 6);
	zend_string *const_COUNT_name = zend_string_init_interned("COUNT", sizeof("COUNT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_COUNT_name, &const_COUNT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_COUNT_name);

	zval const_NEXT_value;
	ZVAL_LONG(&const_NEXT_value, 0);
	zend_string *const_NEXT_name = zend_string_init_interned("NEXT", sizeof("NEXT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_NEXT_name, &const_NEXT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_NEXT_name);

	zval const_PREVIOUS_value;
	ZVAL_LONG(&const_PREVIOUS_value, 1);
	zend_string *const_PREVIOUS_name = zend_string_init_interned("PREVIOUS", sizeof("PREVIOUS") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_PREVIOUS_name, &const_PREVIOUS_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_PREVIOUS_name);

	zval const_LINEAR_value;
	ZVAL_LONG(&const_LINEAR_value, 2);
	zend_string *const_LINEAR_name = zend_string_init_interned("LINEAR", sizeof("LINEAR") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_LINEAR_name, &const_LINEAR_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_LINEAR_name);

	zval const_EXACT_value;
	ZVAL_LONG(&const_EXACT_value, 3);
	zend_string *const_EXACT_name = zend_string_init_interned("EXACT", sizeof("EXACT") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_EXACT_name, &const_EXACT_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_EXACT_name);

	zval const_CLOSED_END_value;
	ZVAL_LONG(&const_CLOSED_END_value, 1);
	zend_string *const_CLOSED_END_name = zend_string_init_interned("CLOSED_END", sizeof("CLOSED_END") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CLOSED_END_name, &const_CLOSED_END_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CLOSED_END_name);

	zval const_SKIP_MISSING_value;
	ZVAL_LONG(&const_SKIP_MISSING_value, 2);
	zend_string *const_SKIP_MISSING_name = zend_string_init_interned("SKIP_MISSING", sizeof("SKIP_MISSING") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_SKIP_MISSING_name, &const_SKIP_MISSING_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_SKIP_MISSING_name);

	zval const_TRUE_TIME_value;
	ZVAL_LONG(&const_TRUE_TIME_value, 4);
	zend_string *const_TRUE_TIME_name = zend_string_init_interned("TRUE_TIME", sizeof("TRUE_TIME") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_TRUE_TIME_name, &const_TRUE_TIME_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_TRUE_TIME_name);

	zval const_CLIP_END_value;
	ZVAL_LONG(&const_CLIP_END_value, 8);
	zend_string *const_CLIP_END_name = zend_string_init_interned("CLIP_END", sizeof("CLIP_END") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CLIP_END_name, &const_CLIP_END_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CLIP_END_name);

	return class_entry;
}
