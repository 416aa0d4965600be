package main

// Offsets of the fields of kernel.tileArgs. Strides are in bytes.
// Pointers are never changed: the collector may look at the block later.
const (
	tileK      = 8 * iota
	tileA      // left operand, first row
	tileRowA   // between rows of A
	tileColA   // between columns of A
	tilePanels // groups of rows, at least 1; counted down
	tileStepA  // between groups of rows of A
	tileB      // right operand, first row
	tileRowB   // between rows of B
	tileC
	tileRowC
	tileTail   // valid lanes of the last vector of columns, at least 1
	tileAdd    // not 0: add to C
	tileReLU   // not 0: ReLU
	tileBiasM  // one value a row, or nil
	tileBiasN  // one value a column, or nil
	tileCursor // scratch
)

// Offsets of the fields of kernel.dotArgs. Strides are in bytes.
const (
	dotLen    = 8 * iota // elements of a product, at least 1
	dotA                 // first row of the left operand
	dotRowA              // between rows of A
	dotB                 // origin of the right operand
	dotOff               // offsets of its rows in elements, 4 a group
	dotGroups            // groups of 4 rows of B, at least 1; counted down
	dotC
	dotRowC
	dotTail   // rows of B in the last group, 1 to 4
	dotAdd    // not 0: add to C
	dotReLU   // not 0: ReLU
	dotBiasM  // one value a row, or nil
	dotBiasN  // one value a column, or nil
	dotCursor // scratch: byte offset of the group's columns
)
