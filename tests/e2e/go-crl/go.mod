module crl

go 1.19
