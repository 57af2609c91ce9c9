"""Ask Enhetsregisteret, the open register of Norwegian businesses (data under NLOD 2.0)."""
