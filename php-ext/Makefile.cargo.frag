$(EMONFEED_LIBRARY):
	cd $(EMONFEED_CRATE) && cargo build --release --lib --no-default-features --locked --target-dir target
