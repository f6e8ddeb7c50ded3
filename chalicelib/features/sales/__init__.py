"""Sales: what people earn from what they sold, paid in advance in part and decided later."""
