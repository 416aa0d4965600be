module github.com/actually-robust-training/art

go 1.26
