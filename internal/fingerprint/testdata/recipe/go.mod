module github.com/actually-robust-training/art/recipe

go 1.26

require github.com/actually-robust-training/art v0.0.0

replace github.com/actually-robust-training/art => ../art
