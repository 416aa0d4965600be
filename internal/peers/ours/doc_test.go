// Package ours is this project's side of the comparison that internal/peers makes:
// it trains rows when asked, runs the quickstart of the Python ART as a recipe, and
// measures what a recipe adds to a bare loop. It has only tests, as users of the
// project have, so that what is measured is what they would run. Without the
// environment that internal/peers sets, its tests train every row for a moment.
package ours
