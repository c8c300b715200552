# The tests compare the constants of PHP with those of this header.
export EMONFEED_INCLUDE
