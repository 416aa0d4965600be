package kernel

// The assembly and its Go declarations are written by the module in gen.

//go:generate go -C gen run . -group tile256 -out ../tile256_amd64.s -stubs ../tile256_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group tile512 -out ../tile512_amd64.s -stubs ../tile512_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group dot256 -out ../dot256_amd64.s -stubs ../dot256_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group dot512 -out ../dot512_amd64.s -stubs ../dot512_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group copy -out ../copy_amd64.s -stubs ../copy_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group vector -out ../vector_amd64.s -stubs ../vector_stubs_amd64.go -pkg kernel
//go:generate go -C gen run . -group pool -out ../pool_amd64.s -stubs ../pool_stubs_amd64.go -pkg kernel
