#!/usr/bin/perl
# `dh $@ --with orderd`, or a build dependency on dh-sequence-orderd.
use warnings;
use strict;
use Debian::Debhelper::Dh_Lib;

insert_before('dh_installdeb', 'dh_orderd');

1;
