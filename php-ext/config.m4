dnl emonfeed.so holds the whole Rust library: it is linked from the static
dnl libemonfeed.a, so that one file is all there is to install.

PHP_ARG_ENABLE([emonfeed],
  [whether to enable emonfeed],
  [AS_HELP_STRING([--enable-emonfeed],
    [Enable emonfeed, the reader of emoncms feed files])])

PHP_ARG_WITH([emonfeed-lib],,
  [AS_HELP_STRING([[--with-emonfeed-lib=FILE]],
    [libemonfeed.a, or the folder it is in. Default:
     ../target/release/libemonfeed.a, which make builds with cargo
     if it is not there])],
  [no],
  [no])

PHP_ARG_WITH([emonfeed-include],,
  [AS_HELP_STRING([[--with-emonfeed-include=DIR]],
    [Folder of emonfeed.h. Default: ../include])],
  [no],
  [no])

if test "$PHP_EMONFEED" != "no"; then
  if test -n "$PHP_CONFIG" && test "`$PHP_CONFIG --vernum`" -lt 80100; then
    AC_MSG_ERROR([emonfeed needs PHP 8.1 or newer; $PHP_CONFIG is of PHP `$PHP_CONFIG --version`])
  fi

  EMONFEED_EXT=PHP_EXT_SRCDIR([emonfeed])
  EMONFEED_CRATE=`cd "$EMONFEED_EXT/.." && pwd`

  AC_MSG_CHECKING([which emonfeed.h to use])
  case $PHP_EMONFEED_INCLUDE in
    yes|no) EMONFEED_INCLUDE=$EMONFEED_CRATE/include ;;
    *) EMONFEED_INCLUDE=`cd "$PHP_EMONFEED_INCLUDE" 2>/dev/null && pwd` ;;
  esac
  if test ! -f "$EMONFEED_INCLUDE/emonfeed.h"; then
    AC_MSG_RESULT([none])
    AC_MSG_ERROR([emonfeed.h is not in ${EMONFEED_INCLUDE:-$PHP_EMONFEED_INCLUDE}; name its folder with --with-emonfeed-include=DIR])
  fi
  AC_MSG_RESULT([$EMONFEED_INCLUDE/emonfeed.h])

  AC_MSG_CHECKING([which libemonfeed.a to use])
  EMONFEED_BUILDS_LIBRARY=no
  case $PHP_EMONFEED_LIB in
    yes|no)
      EMONFEED_LIBRARY=$EMONFEED_CRATE/target/release/libemonfeed.a
      EMONFEED_BUILDS_LIBRARY=yes
      ;;
    *)
      EMONFEED_LIBRARY=$PHP_EMONFEED_LIB
      if test -d "$EMONFEED_LIBRARY"; then
        EMONFEED_LIBRARY=$EMONFEED_LIBRARY/libemonfeed.a
      fi
      if test ! -f "$EMONFEED_LIBRARY"; then
        AC_MSG_RESULT([none])
        AC_MSG_ERROR([$EMONFEED_LIBRARY does not exist])
      fi
      EMONFEED_LIBRARY=`cd "\`dirname "$EMONFEED_LIBRARY"\`" && pwd`/`basename "$EMONFEED_LIBRARY"`
      ;;
  esac
  if test -f "$EMONFEED_LIBRARY"; then
    AC_MSG_RESULT([$EMONFEED_LIBRARY])
  else
    AC_MSG_RESULT([$EMONFEED_LIBRARY, which make will build with cargo])
    AC_PATH_PROG([EMONFEED_CARGO], [cargo])
    if test -z "$EMONFEED_CARGO" || test ! -f "$EMONFEED_CRATE/Cargo.toml"; then
      AC_MSG_ERROR([$EMONFEED_LIBRARY does not exist and cannot be built, because cargo or $EMONFEED_CRATE/Cargo.toml is missing; name a ready library with --with-emonfeed-lib=FILE])
    fi
  fi

  case "$EMONFEED_EXT$EMONFEED_INCLUDE$EMONFEED_LIBRARY" in
    *[[\ \	,]]*) AC_MSG_ERROR([the paths above must not hold spaces or commas]) ;;
  esac

  dnl The flags go to the linker as they are (-Wl,): libtool would warn of any
  dnl static library, and sort it behind what it needs.
  dnl The libraries are those that cargo rustc -- --print native-static-libs
  dnl lists; only those really used are recorded in emonfeed.so.
  dnl emonfeed.map: no symbol but get_module leaves emonfeed.so.
  dnl nodelete: the library may have a signal handler installed, which has to
  dnl outlive a dlclose, as in a graceful restart of Apache.
  EMONFEED_SHARED_LIBADD="-Wl,$EMONFEED_LIBRARY -Wl,--push-state,--as-needed,-lgcc_s,-lutil,-lrt,-lpthread,-lm,-ldl,-lc,--pop-state -Wl,--version-script=$EMONFEED_EXT/emonfeed.map,--gc-sections,-z,nodelete"
  EMONFEED_SHARED_DEPENDENCIES="$EMONFEED_LIBRARY $EMONFEED_EXT/emonfeed.map"

  PHP_SUBST([EMONFEED_SHARED_LIBADD])
  PHP_SUBST([EMONFEED_SHARED_DEPENDENCIES])
  PHP_SUBST([EMONFEED_INCLUDE])
  PHP_SUBST([EMONFEED_LIBRARY])
  PHP_SUBST([EMONFEED_CRATE])
  PHP_ADD_INCLUDE([$EMONFEED_INCLUDE])
  PHP_NEW_EXTENSION([emonfeed],
    [emonfeed.c feed.c backup.c exception.c answer.c csv.c path.c],
    [$ext_shared],,
    [-DZEND_ENABLE_STATIC_TSRMLS_CACHE=1 -fvisibility=hidden])
  PHP_ADD_MAKEFILE_FRAGMENT
  if test "$EMONFEED_BUILDS_LIBRARY" = "yes"; then
    PHP_ADD_MAKEFILE_FRAGMENT([$EMONFEED_EXT/Makefile.cargo.frag])
  fi
fi
