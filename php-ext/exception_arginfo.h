/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: c747dd7e3007d0d9e45e3f680add8c713d8ab6ae */




static const zend_function_entry class_Emonfeed_Exception_methods[] = {
	ZEND_FE_END
};

static zend_class_entry *register_class_Emonfeed_Exception(zend_class_entry *class_entry_RuntimeException)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Emonfeed", "Exception", class_Emonfeed_Exception_methods);
	class_entry = zend_register_internal_class_ex(&ce, class_entry_RuntimeException);

	zval const_INTERNAL_value;
	ZVAL_LONG(&const_INTERNAL_value, 1);
	zend_string *const_INTERNAL_name = zend_string_init_interned("INTERNAL", sizeof("INTERNAL") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_INTERNAL_name, &const_INTERNAL_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_INTERNAL_name);

	zval const_NOT_FOUND_value;
	ZVAL_LONG(&const_NOT_FOUND_value, 10);
	zend_string *const_NOT_FOUND_name = zend_string_init_interned("NOT_FOUND", sizeof("NOT_FOUND") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_NOT_FOUND_name, &const_NOT_FOUND_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_NOT_FOUND_name);

	zval const_PERMISSION_value;
	ZVAL_LONG(&const_PERMISSION_value, 11);
	zend_string *const_PERMISSION_name = zend_string_init_interned("PERMISSION", sizeof("PERMISSION") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_PERMISSION_name, &const_PERMISSION_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_PERMISSION_name);

	zval const_IO_value;
	ZVAL_LONG(&const_IO_value, 12);
	zend_string *const_IO_name = zend_string_init_interned("IO", sizeof("IO") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_IO_name, &const_IO_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_IO_name);

	zval const_NOT_REGULAR_value;
	ZVAL_LONG(&const_NOT_REGULAR_value, 13);
	zend_string *const_NOT_REGULAR_name = zend_string_init_interned("NOT_REGULAR", sizeof("NOT_REGULAR") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_NOT_REGULAR_name, &const_NOT_REGULAR_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_NOT_REGULAR_name);

	zval const_MEMORY_value;
	ZVAL_LONG(&const_MEMORY_value, 14);
	zend_string *const_MEMORY_name = zend_string_init_interned("MEMORY", sizeof("MEMORY") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_MEMORY_name, &const_MEMORY_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_MEMORY_name);

	zval const_NOT_A_FEED_value;
	ZVAL_LONG(&const_NOT_A_FEED_value, 20);
	zend_string *const_NOT_A_FEED_name = zend_string_init_interned("NOT_A_FEED", sizeof("NOT_A_FEED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_NOT_A_FEED_name, &const_NOT_A_FEED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_NOT_A_FEED_name);

	zval const_UNKNOWN_COLUMN_value;
	ZVAL_LONG(&const_UNKNOWN_COLUMN_value, 21);
	zend_string *const_UNKNOWN_COLUMN_name = zend_string_init_interned("UNKNOWN_COLUMN", sizeof("UNKNOWN_COLUMN") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_UNKNOWN_COLUMN_name, &const_UNKNOWN_COLUMN_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_UNKNOWN_COLUMN_name);

	zval const_ENGINE_value;
	ZVAL_LONG(&const_ENGINE_value, 22);
	zend_string *const_ENGINE_name = zend_string_init_interned("ENGINE", sizeof("ENGINE") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_ENGINE_name, &const_ENGINE_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_ENGINE_name);

	zval const_COMPRESSED_value;
	ZVAL_LONG(&const_COMPRESSED_value, 23);
	zend_string *const_COMPRESSED_name = zend_string_init_interned("COMPRESSED", sizeof("COMPRESSED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_COMPRESSED_name, &const_COMPRESSED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_COMPRESSED_name);

	zval const_DYNAMIC_value;
	ZVAL_LONG(&const_DYNAMIC_value, 24);
	zend_string *const_DYNAMIC_name = zend_string_init_interned("DYNAMIC", sizeof("DYNAMIC") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_DYNAMIC_name, &const_DYNAMIC_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_DYNAMIC_name);

	zval const_MISSING_DEFINITION_value;
	ZVAL_LONG(&const_MISSING_DEFINITION_value, 25);
	zend_string *const_MISSING_DEFINITION_name = zend_string_init_interned("MISSING_DEFINITION", sizeof("MISSING_DEFINITION") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_MISSING_DEFINITION_name, &const_MISSING_DEFINITION_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_MISSING_DEFINITION_name);

	zval const_NO_HISTOGRAM_value;
	ZVAL_LONG(&const_NO_HISTOGRAM_value, 26);
	zend_string *const_NO_HISTOGRAM_name = zend_string_init_interned("NO_HISTOGRAM", sizeof("NO_HISTOGRAM") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_NO_HISTOGRAM_name, &const_NO_HISTOGRAM_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_NO_HISTOGRAM_name);

	zval const_CRASHED_value;
	ZVAL_LONG(&const_CRASHED_value, 40);
	zend_string *const_CRASHED_name = zend_string_init_interned("CRASHED", sizeof("CRASHED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CRASHED_name, &const_CRASHED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CRASHED_name);

	zval const_PHASE_SHIFTED_value;
	ZVAL_LONG(&const_PHASE_SHIFTED_value, 41);
	zend_string *const_PHASE_SHIFTED_name = zend_string_init_interned("PHASE_SHIFTED", sizeof("PHASE_SHIFTED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_PHASE_SHIFTED_name, &const_PHASE_SHIFTED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_PHASE_SHIFTED_name);

	zval const_DAMAGED_value;
	ZVAL_LONG(&const_DAMAGED_value, 42);
	zend_string *const_DAMAGED_name = zend_string_init_interned("DAMAGED", sizeof("DAMAGED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_DAMAGED_name, &const_DAMAGED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_DAMAGED_name);

	zval const_BAD_ROW_value;
	ZVAL_LONG(&const_BAD_ROW_value, 43);
	zend_string *const_BAD_ROW_name = zend_string_init_interned("BAD_ROW", sizeof("BAD_ROW") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_BAD_ROW_name, &const_BAD_ROW_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_BAD_ROW_name);

	zval const_CHANGED_value;
	ZVAL_LONG(&const_CHANGED_value, 50);
	zend_string *const_CHANGED_name = zend_string_init_interned("CHANGED", sizeof("CHANGED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CHANGED_name, &const_CHANGED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CHANGED_name);

	zval const_LOCKED_value;
	ZVAL_LONG(&const_LOCKED_value, 51);
	zend_string *const_LOCKED_name = zend_string_init_interned("LOCKED", sizeof("LOCKED") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_LOCKED_name, &const_LOCKED_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_LOCKED_name);

	zval const_DESTINATION_value;
	ZVAL_LONG(&const_DESTINATION_value, 60);
	zend_string *const_DESTINATION_name = zend_string_init_interned("DESTINATION", sizeof("DESTINATION") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_DESTINATION_name, &const_DESTINATION_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_DESTINATION_name);

	zval const_CATALOG_value;
	ZVAL_LONG(&const_CATALOG_value, 61);
	zend_string *const_CATALOG_name = zend_string_init_interned("CATALOG", sizeof("CATALOG") - 1, 1);
	zend_declare_class_constant_ex(class_entry, const_CATALOG_name, &const_CATALOG_value, ZEND_ACC_PUBLIC, NULL);
	zend_string_release(const_CATALOG_name);

	return class_entry;
}
