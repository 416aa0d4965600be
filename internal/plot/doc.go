// Package plot draws the pictures of a training: curves, histograms, bars,
// heatmaps and contact sheets of images. It is a leaf: it imports no other
// package of this module, and it alone imports a chart library. Steps and
// decorators fill a struct and write it as an artifact, SVG or PNG.
//
// Every picture is a plain struct; its zero value draws an empty picture. The
// same struct gives the same bytes every time on one machine.
//
// # Values that cannot be drawn
//
// NaN, infinities and magnitudes beyond 1e300 leave a gap, and so do values not
// above zero on a logarithmic axis. They never break a picture; the title counts
// them.
//
// # Colours
//
// Series take the palette of Okabe and Ito ("Color Universal Design", 2008), which
// people with the common kinds of colour blindness can tell apart, without its
// yellow, too pale on white. The eighth series starts over with dashes.
//
// # The chart library
//
// github.com/go-analyze/charts is used through its lower half, chartdraw: its SVG
// and PNG renderers and its fonts. The charts above it place points by their
// index among labels, but the curves of a training have numbers on their x axis,
// unequal steps, logarithmic scales and gaps; axes are therefore our own.
package plot
