"""What AWS gets: the template, the zips and layers, and what checks them."""
