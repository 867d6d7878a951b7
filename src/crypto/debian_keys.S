/* The file as it is, between two symbols. */
	.section .rodata
	.global crypto_debian_keys
	.global crypto_debian_keys_end
crypto_debian_keys:
	.incbin DEBIAN_KEYS
crypto_debian_keys_end:
	.section .note.GNU-stack,"",%progbits
