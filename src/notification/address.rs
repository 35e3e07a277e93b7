//! E-mail addresses (RFC 5322 addr-spec, internationalised by RFC 6532).
