/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: ee4fab6b8da16289d32f8e0a79888c9fd806dae2 */

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Emonfeed_Backup___construct, 0, 0, 2)
	ZEND_ARG_TYPE_INFO(0, source, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, destination, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, options, IS_ARRAY, 0, "[]")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_feeds, 0, 0, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_stop, 0, 0, IS_VOID, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_close, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_current, 0, 0, IS_ARRAY, 1)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_key, 0, 0, IS_STRING, 1)
ZEND_END_ARG_INFO()

#define arginfo_class_Emonfeed_Backup_next arginfo_class_Emonfeed_Backup_stop

#define arginfo_class_Emonfeed_Backup_rewind arginfo_class_Emonfeed_Backup_stop

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Emonfeed_Backup_valid, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()


ZEND_METHOD(Emonfeed_Backup, __construct);
ZEND_METHOD(Emonfeed_Backup, feeds);
ZEND_METHOD(Emonfeed_Backup, stop);
ZEND_METHOD(Emonfeed_Backup, close);
ZEND_METHOD(Emonfeed_Backup, current);
ZEND_METHOD(Emonfeed_Backup, key);
ZEND_METHOD(Emonfeed_Backup, next);
ZEND_METHOD(Emonfeed_Backup, rewind);
ZEND_METHOD(Emonfeed_Backup, valid);


static const zend_function_entry class_Emonfeed_Backup_methods[] = {
	ZEND_ME(Emonfeed_Backup, __construct, arginfo_class_Emonfeed_Backup___construct, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, feeds, arginfo_class_Emonfeed_Backup_feeds, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, stop, arginfo_class_Emonfeed_Backup_stop, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, close, arginfo_class_Emonfeed_Backup_close, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, current, arginfo_class_Emonfeed_Backup_current, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, key, arginfo_class_Emonfeed_Backup_key, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, next, arginfo_class_Emonfeed_Backup_next, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, rewind, arginfo_class_Emonfeed_Backup_rewind, ZEND_ACC_PUBLIC)
	ZEND_ME(Emonfeed_Backup, valid, arginfo_class_Emonfeed_Backup_valid, ZEND_ACC_PUBLIC)
	ZEND_FE_END
};

static zend_class_entry *register_class_Emonfeed_Backup(zend_class_entry *class_entry_Iterator)
{
	zend_class_entry ce, *class_entry;

	INIT_NS_CLASS_ENTRY(ce, "Emonfeed", "Backup", class_Emonfeed_Backup_methods);
	class_entry = zend_register_internal_class_ex(&ce, NULL);
	class_entry->ce_flags |= ZEND_ACC_FINAL|ZEND_ACC_NO_DYNAMIC_PROPERTIES|ZEND_ACC_NOT_SERIALIZABLE;
	zend_class_implements(class_entry, 1, class_entry_Iterator);

	return class_entry;
}
