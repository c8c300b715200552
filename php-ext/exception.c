#include "exception.h"

#include <ext/spl/spl_exceptions.h>
#include <zend_exceptions.h>

#include "exception_arginfo.h"

static zend_class_entry *exception_ce;

void php_emonfeed_exception_minit(void)
{
	exception_ce = register_class_Emonfeed_Exception(spl_ce_RuntimeException);
}

void php_emonfeed_throw(emonfeed_status status, const char *format, ...)
{
	va_list args;
	char *message;

	va_start(args, format);
	zend_vspprintf(&message, 0, format, args);
	va_end(args);
	zend_throw_exception(exception_ce, message, status);
	efree(message);
}
