dnl emonfeed.so holds the whole Rust library: it is linked from the static
dnl libemonfeed.a, so that one file is all there is to install.

PHP_ARG_ENABLE([emonfeed],
  [whether to enable emonfeed],
  [AS_HELP_STRING([--enable-emonfeed],
    [Enable emonfeed, the reader of emoncms feed files])])

PHP_ARG_WITH([emonfeed-lib],,
  [AS_HELP_STRING([[--with-emonfeed-lib=FILE]],
    [libemonfeed.a, or the folder it is in; "bundled": that of these sources.
     Default: ../target/release/libemonfeed.a if it was built there, else the
     one that pkg-config knows, else the bundled one, which make builds with
     cargo])],
  [no],
  [no])

PHP_ARG_WITH([emonfeed-include],,
  [AS_HELP_STRING([[--with-emonfeed-include=DIR]],
    [Folder of emonfeed.h. Default: the one that belongs to the library])],
  [no],
  [no])

if test "$PHP_EMONFEED" != "no"; then
  if test -n "$PHP_CONFIG" && test "`$PHP_CONFIG --vernum`" -lt 80100; then
    AC_MSG_ERROR([emonfeed needs PHP 8.1 or newer; $PHP_CONFIG is of PHP `$PHP_CONFIG --version`])
  fi

  EMONFEED_EXT=PHP_EXT_SRCDIR([emonfeed])
  EMONFEED_CRATE=`cd "$EMONFEED_EXT/.." && pwd`

  dnl The version that these sources are of, and library and header must be.
  EMONFEED_VERSION=0.1.0

  dnl Whoever has built the library here means that one; whoever has not, and
  dnl has installed one, is spared cargo.
  AC_MSG_CHECKING([which libemonfeed.a to use])
  EMONFEED_BUNDLED=$EMONFEED_CRATE/target/release/libemonfeed.a
  EMONFEED_BUILDS_LIBRARY=no
  EMONFEED_HEADERS=$EMONFEED_CRATE/include
  case $PHP_EMONFEED_LIB in
    yes|no)
      if test -f "$EMONFEED_BUNDLED"; then
        EMONFEED_LIBRARY=$EMONFEED_BUNDLED
        EMONFEED_ORIGIN="built here before"
      elif test -n "$PKG_CONFIG" && $PKG_CONFIG --exists emonfeed; then
        EMONFEED_LIBRARY=`$PKG_CONFIG --variable=libdir emonfeed`/libemonfeed.a
        EMONFEED_HEADERS=`$PKG_CONFIG --variable=includedir emonfeed`
        EMONFEED_ORIGIN="installed, found by pkg-config"
        EMONFEED_FOUND=`$PKG_CONFIG --modversion emonfeed`
        if test "$EMONFEED_FOUND" != "$EMONFEED_VERSION"; then
          AC_MSG_RESULT([none])
          AC_MSG_ERROR([the installed libemonfeed is of version $EMONFEED_FOUND, these sources are of $EMONFEED_VERSION; install that version of it, or take the bundled one, which cargo builds: --with-emonfeed-lib=bundled])
        fi
        if test ! -f "$EMONFEED_LIBRARY"; then
          AC_MSG_RESULT([none])
          AC_MSG_ERROR([pkg-config knows emonfeed, but $EMONFEED_LIBRARY does not exist; install it, or take the bundled one, which cargo builds: --with-emonfeed-lib=bundled])
        fi
      else
        EMONFEED_BUILDS_LIBRARY=yes
      fi
      ;;
    bundled)
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
      EMONFEED_ORIGIN="named by --with-emonfeed-lib"
      ;;
  esac
  if test "$EMONFEED_BUILDS_LIBRARY" = "yes"; then
    EMONFEED_LIBRARY=$EMONFEED_BUNDLED
    EMONFEED_ORIGIN="bundled, built by make with cargo"
  fi
  AC_MSG_RESULT([$EMONFEED_LIBRARY ($EMONFEED_ORIGIN)])
  if test "$EMONFEED_BUILDS_LIBRARY" = "yes"; then
    AC_PATH_PROG([EMONFEED_CARGO], [cargo])
    if test -z "$EMONFEED_CARGO" || test ! -f "$EMONFEED_CRATE/Cargo.toml"; then
      AC_MSG_ERROR([no libemonfeed is installed that pkg-config finds, and the bundled one cannot be built, because cargo or $EMONFEED_CRATE/Cargo.toml is missing; install libemonfeed $EMONFEED_VERSION (Debian: libemonfeed-dev), or Rust (https://rustup.rs), or name a ready library with --with-emonfeed-lib=FILE])
    fi
  fi

  AC_MSG_CHECKING([which emonfeed.h to use])
  case $PHP_EMONFEED_INCLUDE in
    yes|no) EMONFEED_INCLUDE=$EMONFEED_HEADERS ;;
    *) EMONFEED_INCLUDE=`cd "$PHP_EMONFEED_INCLUDE" 2>/dev/null && pwd` ;;
  esac
  if test ! -f "$EMONFEED_INCLUDE/emonfeed.h"; then
    AC_MSG_RESULT([none])
    AC_MSG_ERROR([emonfeed.h is not in ${EMONFEED_INCLUDE:-$PHP_EMONFEED_INCLUDE}; name its folder with --with-emonfeed-include=DIR])
  fi
  EMONFEED_FOUND=`$AWK '$2 ~ /^EMONFEED_VERSION_(MAJOR|MINOR|PATCH)$/ { printf "%s%s", dot, $3; dot = "." }' "$EMONFEED_INCLUDE/emonfeed.h"`
  if test "$EMONFEED_FOUND" != "$EMONFEED_VERSION"; then
    AC_MSG_RESULT([none])
    AC_MSG_ERROR([$EMONFEED_INCLUDE/emonfeed.h is of version $EMONFEED_FOUND, these sources are of $EMONFEED_VERSION; name the folder of the right one with --with-emonfeed-include=DIR])
  fi
  AC_MSG_RESULT([$EMONFEED_INCLUDE/emonfeed.h])

  dnl What any program needs that is linked with libemonfeed.a, as
  dnl cargo rustc -- --print native-static-libs lists it.
  EMONFEED_NEEDS="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc"

  dnl A library says itself of which version it is. One that is not built yet will
  dnl be of these sources.
  if test -f "$EMONFEED_LIBRARY"; then
    AC_MSG_CHECKING([the version of libemonfeed.a])
    rm -f conftest.version
    EMONFEED_SAVED_LIBS=$LIBS
    LIBS="$EMONFEED_LIBRARY $EMONFEED_NEEDS"
    AC_RUN_IFELSE([AC_LANG_SOURCE([[
#include <stdio.h>
const char *emonfeed_version(void);
int main(void)
{
	FILE *file = fopen("conftest.version", "w");
	return !file || fprintf(file, "%s", emonfeed_version()) < 0 || fclose(file);
}
    ]])],
      [EMONFEED_FOUND=`cat conftest.version`],
      [EMONFEED_FOUND=],
      [EMONFEED_FOUND=$EMONFEED_VERSION])
    LIBS=$EMONFEED_SAVED_LIBS
    rm -f conftest.version
    AC_MSG_RESULT([${EMONFEED_FOUND:-none}])
    if test -z "$EMONFEED_FOUND"; then
      AC_MSG_ERROR([no program can be linked with $EMONFEED_LIBRARY (config.log says why)])
    fi
    if test "$EMONFEED_FOUND" != "$EMONFEED_VERSION"; then
      AC_MSG_ERROR([$EMONFEED_LIBRARY is of version $EMONFEED_FOUND, these sources are of $EMONFEED_VERSION; name the right one with --with-emonfeed-lib=FILE, or remove it])
    fi
  fi

  case "$EMONFEED_EXT$EMONFEED_INCLUDE$EMONFEED_LIBRARY" in
    *[[\ \	,]]*) AC_MSG_ERROR([the paths above must not hold spaces or commas]) ;;
  esac

  dnl The flags go to the linker as they are (-Wl,): libtool would warn of any
  dnl static library, and sort it behind what it needs.
  dnl Only those libraries that are really used are recorded in emonfeed.so.
  dnl emonfeed.map: no symbol but get_module leaves emonfeed.so.
  dnl nodelete: the library may have a signal handler installed, which has to
  dnl outlive a dlclose, as in a graceful restart of Apache.
  EMONFEED_SHARED_LIBADD="-Wl,$EMONFEED_LIBRARY -Wl,--push-state,--as-needed,`echo $EMONFEED_NEEDS | tr ' ' ','`,--pop-state -Wl,--version-script=$EMONFEED_EXT/emonfeed.map,--gc-sections,-z,nodelete"
  EMONFEED_SHARED_DEPENDENCIES="$EMONFEED_LIBRARY $EMONFEED_EXT/emonfeed.map"

  PHP_SUBST([EMONFEED_SHARED_LIBADD])
  PHP_SUBST([EMONFEED_SHARED_DEPENDENCIES])
  PHP_SUBST([EMONFEED_INCLUDE])
  PHP_SUBST([EMONFEED_LIBRARY])
  PHP_SUBST([EMONFEED_CRATE])
  PHP_ADD_INCLUDE([$EMONFEED_INCLUDE])
  PHP_NEW_EXTENSION([emonfeed],
    [emonfeed.c feed.c backup.c exception.c answer.c csv.c path.c times.c],
    [$ext_shared],,
    [-DZEND_ENABLE_STATIC_TSRMLS_CACHE=1 -fvisibility=hidden])
  PHP_ADD_MAKEFILE_FRAGMENT
  if test "$EMONFEED_BUILDS_LIBRARY" = "yes"; then
    PHP_ADD_MAKEFILE_FRAGMENT([$EMONFEED_EXT/Makefile.cargo.frag])
  fi
fi
