module sonde.example/demo

go 1.19
