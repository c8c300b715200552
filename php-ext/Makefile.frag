# The tests compare the constants of PHP with those of this header.
export EMONFEED_INCLUDE

# run-tests -m looks for wrong reads and writes only; this adds leaks.
VALGRIND_OPTS ?= --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
export VALGRIND_OPTS
